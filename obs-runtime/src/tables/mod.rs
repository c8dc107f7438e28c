//! Ready-made checks of tables: row count, freshness, null ratio, uniqueness, accepted values, range, referential integrity
//! and schema equality.
//!
//! Each asks one question of a [`Table`] and gives what it counted, for the bounds of `#[dq_check]` to judge. There are tables of
//! `SQLite` (feature `sqlite`) and of `BigQuery` (feature `bigquery`), where each question is priced before it is asked.
// A crate of its own: its checks stand in the registry of whatever it is linked with.
#![cfg_attr(feature = "sqlite", doc = "```standalone_crate")]
#![cfg_attr(not(feature = "sqlite"), doc = "```ignore")]
//! use obs_runtime::tables::{SqliteTable, TableError, accepted_values, null_ratio, row_count, schema_equality};
//! use obs_runtime::{Measured, Verdict, dq_check};
//!
//! fn orders() -> SqliteTable {
//!     SqliteTable::new("warehouse.sqlite", "orders")
//! }
//!
//! #[dq_check(dataset = "orders", fail_below = 1)]
//! async fn has_orders() -> Result<Measured, TableError> {
//!     row_count(&orders()).only("day = ?", ["2026-11-26"]).measure().await
//! }
//!
//! #[dq_check(dataset = "orders", column = "customer", warn_above = 0, fail_above = 0.01)]
//! async fn orders_of_nobody() -> Result<Measured, TableError> {
//!     null_ratio(&orders(), "customer").measure().await
//! }
//!
//! #[dq_check(dataset = "orders", column = "state", fail_above = 0)]
//! async fn unknown_states() -> Result<Measured, TableError> {
//!     accepted_values(&orders(), "state", ["open", "paid", "sent"]).sampled().measure().await
//! }
//!
//! #[dq_check(dataset = "orders")]
//! async fn columns_of_orders() -> Result<Verdict, TableError> {
//!     let columns = [("id", "INTEGER"), ("customer", "TEXT"), ("state", "TEXT"), ("day", "TEXT")];
//!     schema_equality(&orders(), columns).await
//! }
//! ```

#[cfg(feature = "bigquery")]
mod bigquery;
mod check;
mod error;
mod schema;
#[cfg(feature = "sqlite")]
mod sqlite;
mod statement;
mod subject;
mod table;

#[cfg(feature = "bigquery")]
pub use bigquery::BigQueryTable;
pub use check::{
    TableCheck, accepted_values, freshness, null_ratio, range, referential_integrity, row_count, uniqueness,
};
pub use error::TableError;
pub use schema::schema_equality;
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteTable;
pub use statement::{Statement, TableValue};
pub use table::{Column, Row, Table};
