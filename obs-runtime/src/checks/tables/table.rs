//! The interface of a table.

use std::future::Future;

use crate::checks::quality::current_table::TableName;
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::statement::{Statement, TableValue};

/// A row of a query result: each value as text, or none for `NULL`.
pub type Row = Vec<Option<String>>;

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type as the database names it: `INTEGER`, `ARRAY<STRING>`.
    pub kind: String,
}

impl Column {
    /// Creates a column.
    pub fn new(name: impl Into<String>, kind: impl Into<String>) -> Self {
        Self { name: name.into(), kind: kind.into() }
    }
}

/// A table that can be queried. Implement it for another database, and all checks work there.
pub trait Table: Sync {
    /// The name for messages.
    fn name(&self) -> &str;

    /// The data source and the name in it, as `OpenLineage` names data sets; `None` if they are not known.
    fn source(&self) -> Option<TableName> {
        None
    }

    /// The quoted name for SQL.
    fn sql_name(&self) -> String;

    /// The quoted name of a column for SQL. Quotes in the name must be escaped.
    fn quoted(&self, column: &str) -> String;

    /// SQL for the seconds since the time of this expression; `NULL` if it is not a time.
    fn seconds_since(&self, sql: &str) -> String;

    /// SQL for this expression as text.
    fn as_text(&self, sql: &str) -> String;

    /// The canonical name of a type, for databases with aliases: `INTEGER` and `INT64` are the same in `BigQuery`.
    fn canonical(&self, kind: &str) -> String {
        kind.trim().to_ascii_uppercase()
    }

    /// SQL for this expression as a number; `NULL` for what is none.
    fn as_number(&self, sql: &str) -> String {
        format!("CAST({sql} AS DOUBLE PRECISION)")
    }

    /// SQL that is true if the database would compare this expression with the value as something else than it is, such as
    /// numbers with text, and not say so. `None` if it refuses that itself.
    fn mismatch(&self, _sql: &str, _value: &TableValue) -> Option<String> {
        None
    }

    /// Why a statement on this table cannot read the other one; `None` if it can.
    fn cannot_read(&self, _other: &Self) -> Option<String>
    where
        Self: Sized,
    {
        None
    }

    /// The values of the `?` in [`sql_name`](Self::sql_name), which has none for a table.
    fn values(&self) -> Vec<TableValue> {
        Vec::new()
    }

    /// SQL for this expression after `PARTITION BY`, where a database does not take all types.
    fn partition_key(&self, sql: &str) -> String {
        sql.to_owned()
    }

    /// SQL for whether this text has a match of a regular expression, with a `?` for that.
    fn matches(&self, sql: &str) -> String {
        format!("{sql} ~ ?")
    }

    /// SQL for the number of characters of this text.
    fn length(&self, sql: &str) -> String {
        format!("CHAR_LENGTH({sql})")
    }

    /// Runs a statement and returns all rows. If the future is dropped, as when the check exceeds its time limit, the
    /// database should stop working on the statement.
    fn ask(&self, statement: Statement) -> impl Future<Output = Result<Vec<Row>, TableError>> + Send;

    /// Adds the keys of failing rows to a table of this database, which is created if it is missing, and deletes the oldest runs.
    fn store(&self, _name: &str, _failing: &FailingKeys) -> impl Future<Output = Result<(), TableError>> + Send {
        let why = "this database keeps no failing keys; give the path of a file".to_owned();
        std::future::ready(Err(TableError::Unusable { table: self.name().to_owned(), why }))
    }

    /// The columns, in order.
    fn columns(&self) -> impl Future<Output = Result<Vec<Column>, TableError>> + Send;
}
