//! What a BigQuery query costs, without an account.
//!
//! An estimate takes the text of the query, a [`Catalogue`] of tables with their sizes, and a price for each TiB. The
//! [`Estimate`] has for each table the columns that are read, and a [`Figure`]:
//!
//! - **exact**: BigQuery reports the same bytes. Columns of fixed width that are never `NULL`, or whose `NULL`s are counted,
//!   and columns whose bytes are in the catalogue, of tables that are neither partitioned nor clustered.
//! - **upper bound**: BigQuery reports these bytes or fewer. Columns of fixed width that may be `NULL`; partitioned tables, of
//!   which a filter by constants excludes partitions; clustered tables; wildcards; `JSON` and the length of arrays;
//!   materialized views, whose base tables count in full; streaming buffers, whose size is BigQuery's own estimate.
//! - **unknown**, with the reason: tables and columns that are not in the catalogue, text without its bytes, external tables,
//!   stored functions, table functions, models, recursive queries, tables at another time, and SQL that is not read.
//!
//! Only queries are estimated. A statement of another kind is an error, `CREATE MODEL`, which has a price of its own, among them.
//! The price is that on demand, in one location: in an edition BigQuery bills slot time, which nothing tells before the query has run, so
//! [`Estimate::processed_bytes`] is right there and [`Estimate::usd`] is what the query would cost on demand.
//!
//! A catalogue ages. Partitions and daily tables since its sizes were read are assumed to be as large as the largest of the
//! last 31; [`Estimate::notes`] says so. Rows that were added to older partitions, or to tables without partitions, are not
//! counted: [`Estimate::as_of`] has the time of the sizes, and [`Estimator::max_age`] refuses old ones.
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
pub(crate) mod constants;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod error;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod growth;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod leaves;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod partitions;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod price;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod pruning;
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
pub use catalogue::tables::{Catalogue, Column, Mode, Partition, Sources, StreamingBuffer, Table};
pub use error::EstimateError;
pub use price::{DEFAULT_USD_PER_TIB, MINIMUM_BILLED_BYTES, TIB};
pub use query_estimate::{Estimator, estimate};
pub use report::{Estimate, TableEstimate};
pub use sizes::ColumnType;
