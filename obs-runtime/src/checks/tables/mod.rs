//! Ready-made checks of tables: row count, freshness, null ratio, uniqueness, accepted values, range, referential integrity
//! and schema equality.
//!
//! Each check runs one query on a [`Table`] and returns a [`Measured`](crate::Measured) that the bounds of `#[dq_check]` judge.
//! There are tables of `SQLite` (feature `sqlite`) and `BigQuery` (feature `bigquery`), where a dry run prices each query
//! first; implement [`Table`] for another database.

#[cfg(feature = "bigquery")]
pub(crate) mod bigquery;
pub(crate) mod check;
pub(crate) mod error;
pub(crate) mod plausible;
pub(crate) mod schema;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_connection;
pub(crate) mod statement;
pub(crate) mod subject;
pub(crate) mod table;

#[cfg(feature = "bigquery")]
pub use bigquery::BigQueryTable;
pub use check::{
    TableCheck, accepted_values, freshness, null_ratio, range, referential_integrity, row_count, uniqueness,
};
pub use error::TableError;
pub use schema::schema_equality;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteTable;
pub use statement::{Statement, TableValue, Values};
pub use table::{Column, Row, Table};
