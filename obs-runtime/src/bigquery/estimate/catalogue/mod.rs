//! Tables and their sizes, as JSON.
//!
//! ```json
//! { "tables": [ {
//!     "name": "bigquery-public-data.samples.shakespeare",
//!     "as_of": "2026-11-26T07:00:00Z",
//!     "rows": 164656,
//!     "sources": { "rows": "https://…", "columns": "https://…" },
//!     "columns": [ { "name": "word_count", "type": "INTEGER", "mode": "REQUIRED" } ]
//! } ] }
//! ```
//!
//! A table lists all its columns. Each size has a source: where it is published, or the call that returned it. `as_of` is
//! the time at which the sizes were read.

#[cfg(feature = "bigquery-estimate")]
pub(crate) mod check;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod error;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod load;
#[cfg(feature = "bigquery-estimate")]
pub(crate) mod tables;
