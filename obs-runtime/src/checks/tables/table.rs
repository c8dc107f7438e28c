//! What a table must be able to.

use std::future::Future;

use crate::checks::tables::error::TableError;
use crate::checks::tables::statement::Statement;

/// A row of an answer: each value as text.
pub type Row = Vec<Option<String>>;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// Its type in the words of the database, as `INTEGER` or `ARRAY<STRING>`.
    pub kind: String,
}

impl Column {
    /// A column of that name and type.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { name: name.into(), kind: kind.into() }
    }
}

/// A table that can be asked. Implement it for a database of your own, and all checks work there.
pub trait Table: Sync {
    /// Its name, for people.
    fn name(&self) -> &str;

    /// Its name as it stands in a statement, quoted.
    fn sql_name(&self) -> String;

    /// A column's name as it stands in a statement, quoted: nothing in it may end the quotes.
    fn quoted(&self, column: &str) -> String;

    /// Seconds since the time that this expression gives; `NULL` of what is no time.
    fn seconds_since(&self, sql: &str) -> String;

    /// The value of this expression as text.
    fn as_text(&self, sql: &str) -> String;

    /// What type two words for it mean: `INTEGER` and `INT64` are one in `BigQuery`.
    fn canonical(&self, kind: &str) -> String {
        kind.trim().to_ascii_uppercase()
    }

    /// Asks it.
    fn ask(&self, statement: Statement) -> impl Future<Output = Result<Vec<Row>, TableError>> + Send;

    /// Its columns, in their order.
    fn columns(&self) -> impl Future<Output = Result<Vec<Column>, TableError>> + Send;
}
