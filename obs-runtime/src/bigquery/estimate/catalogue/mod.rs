//! The tables whose size is published, as JSON.
//!
//! ```json
//! { "tables": [ {
//!     "name": "bigquery-public-data.samples.shakespeare",
//!     "rows": 164656,
//!     "sources": { "rows": "https://…", "columns": "https://…" },
//!     "columns": [ { "name": "word_count", "type": "INTEGER", "mode": "REQUIRED" } ]
//! } ] }
//! ```
//!
//! A table lists all its columns. Every figure has a source: where it is published.

#[cfg(feature = "bigquery-estimate")]
pub(crate) mod check;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod error;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod load;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod tables;
