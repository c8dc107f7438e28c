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

#[cfg(feature = "bigquery-estimate")]
pub(crate) mod advice;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod amount;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod catalogue;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod error;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod partitions;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod price;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod query_estimate;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod report;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod sizes;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod sql;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod suffixes;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod table;

pub use amount::Figure;
pub use catalogue::error::CatalogueError;
pub use catalogue::tables::{Catalogue, Column, Mode, Partition, Sources, Table};
pub use error::EstimateError;
pub use price::{DEFAULT_USD_PER_TIB, MINIMUM_BILLED_BYTES, TIB};
pub use query_estimate::estimate;
pub use report::{Estimate, TableEstimate};
pub use sizes::ColumnType;
