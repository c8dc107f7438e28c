//! Ready-made checks of tables, rows, columns, queries and schemas. [The chapter on data quality](crate::guide::quality) lists them
//! by the names that other tools have for them.
//!
//! Each check runs one query on a [`Table`] and returns a [`Measured`](crate::Measured) that the bounds of `#[dq_check]` judge.
//! There are tables of `SQLite` (feature `sqlite`) and `BigQuery` (feature `bigquery`), where a dry run prices each query
//! first; implement [`Table`] for another database.

pub(crate) mod aggregate;
#[cfg(feature = "bigquery")]
pub(crate) mod bigquery;
#[cfg(feature = "bigquery")]
pub(crate) mod bigquery_sql;
pub(crate) mod check;
pub(crate) mod column_checks;
pub(crate) mod compare;
pub(crate) mod distribution;
pub(crate) mod error;
pub(crate) mod expr;
pub(crate) mod failing_keys;
pub(crate) mod groups;
pub(crate) mod measure_sql;
pub(crate) mod missing;
pub(crate) mod plausible;
pub(crate) mod query;
pub(crate) mod row_checks;
pub(crate) mod row_test;
pub(crate) mod sample_sql;
pub(crate) mod schema;
pub(crate) mod sql;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_connection;
#[cfg(feature = "sqlite")]
pub(crate) mod sqlite_functions;
pub(crate) mod statement;
pub(crate) mod store;
#[cfg(feature = "bigquery")]
pub(crate) mod store_bigquery;
pub(crate) mod store_file;
#[cfg(feature = "sqlite")]
pub(crate) mod store_sqlite;
pub(crate) mod storing;
pub(crate) mod subject;
pub(crate) mod table;

pub use aggregate::{Aggregate, aggregate_of, avg, max, median, min, quantile, stddev, sum};
#[cfg(feature = "bigquery")]
pub use bigquery::BigQueryTable;
pub use check::TableCheck;
pub use column_checks::{
    accepted_values, aggregate, distinct_count, distinct_ratio, does_not_match, freshness, length, matches, monotonic,
    no_gaps, null_ratio, range, rejected_values, required_values, uniqueness,
};
pub use compare::ComparedChecks;
pub use distribution::{DistributionCheck, distribution};
pub use error::TableError;
pub use expr::{Expr, expr};
pub use failing_keys::FailingKeys;
pub use query::{QueryTable, query};
pub use row_checks::{accepted_pairs, failing_rows, pair, referential_integrity, row_count, rows_where, sum_equals};
pub use row_test::Comparison;
pub use schema::{column_count, column_order, column_type, has_columns, schema_equality};
#[cfg(feature = "sqlite")]
pub use sqlite::SqliteTable;
pub use statement::{Statement, TableValue, Values};
pub use store::Store;
pub use subject::{Order, Step};
pub use table::{Column, Row, Table};
