//! What a `BigQuery` query costs, told without an account.
//!
//! Three things go in: the query's text, a [`Catalogue`] of tables whose size is published, and a
//! price for each TiB. Out comes an [`Estimate`], which says for each table which columns are read
//! and whether the figure is exact, an upper bound, or not known and why. What is not understood
//! is said to be unknown; a figure that could be too low is never shown.
//!
//! ```
//! use obs_runtime::bigquery::estimate::{estimate, Catalogue, Figure};
//!
//! let sql = "SELECT word_count FROM `bigquery-public-data.samples.shakespeare`";
//! let estimate = estimate(sql, &Catalogue::shipped()?, 6.25)?;
//! assert_eq!(estimate.processed_bytes, Some(1_317_248));
//! assert_eq!(estimate.figure, Figure::Exact);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::bigquery::estimate::advice;
use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::error::EstimateError;
use crate::bigquery::estimate::price;
use crate::bigquery::estimate::report::Estimate;
use crate::bigquery::estimate::sql::analyser;
use crate::bigquery::estimate::table;

/// Estimates what a query reads and costs at `usd_per_tib` US dollars for each TiB (2^40 bytes).
///
/// A table or column that the catalogue does not have is no error: the estimate then says what is
/// not known.
///
/// # Errors
///
/// When the text is not one `BigQuery` query, or the price is no number from 0 up.
pub fn estimate(sql: &str, catalogue: &Catalogue, usd_per_tib: f64) -> Result<Estimate, EstimateError> {
    price::check(usd_per_tib)?;
    let (reads, takes_all) = analyser::reads(sql, catalogue)?;
    let tables = table::estimates(&reads, catalogue);
    let mut estimate = Estimate::new(tables, reads.unknown(), usd_per_tib);
    estimate.advice = advice::of(&estimate, &reads, takes_all, catalogue);
    Ok(estimate)
}
