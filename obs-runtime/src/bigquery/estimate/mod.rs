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

mod advice;
mod amount;
mod catalogue;
mod error;
mod partitions;
mod price;
mod report;
mod sizes;
mod sql;
mod suffixes;
mod table;

pub use amount::Figure;
pub use catalogue::{Catalogue, CatalogueError, Column, Mode, Partition, Sources, Table};
pub use error::EstimateError;
pub use price::{DEFAULT_USD_PER_TIB, MINIMUM_BILLED_BYTES, TIB};
pub use report::{Estimate, TableEstimate};
pub use sizes::ColumnType;

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
    let (reads, takes_all) = sql::reads(sql, catalogue)?;
    let tables = table::estimates(&reads, catalogue);
    let mut estimate = Estimate::new(tables, reads.unknown(), usd_per_tib);
    estimate.advice = advice::of(&estimate, &reads, takes_all, catalogue);
    Ok(estimate)
}
