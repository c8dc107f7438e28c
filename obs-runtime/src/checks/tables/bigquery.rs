//! A table of `BigQuery`, queried through the tracked client.

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::parameter::Parameter;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::tracked_client::Client;
use crate::checks::tables::error::TableError;
use crate::checks::tables::statement::{Statement, TableValue};

/// A limit that refuses no query, but still has it priced.
const NO_LIMIT: u64 = i64::MAX as u64;

/// A table of `BigQuery`. A dry run prices each query first; the query is refused above [`max_bytes`](Self::max_bytes) and
/// the limits and budgets of the enclosing scopes (`#[bq_cost]` below `#[dq_check]`).
#[derive(Clone, Debug)]
pub struct BigQueryTable {
    client: Client,
    pub(super) name: String,
    /// Project, data set and table.
    pub(super) parts: [String; 3],
    max_bytes: u64,
}

impl BigQueryTable {
    /// The table named `dataset.table` or `project.dataset.table`.
    ///
    /// # Errors
    /// If the name is malformed.
    pub fn new(client: &Client, name: impl Into<String>) -> Result<Self, BigQueryError> {
        let name = name.into();
        let parts = client.parts(&name)?.into();
        Ok(Self { client: client.clone(), name, parts, max_bytes: NO_LIMIT })
    }

    /// Limits the bytes billed for a query. A query above it is refused, and its check is errored.
    #[must_use]
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = bytes;
        self
    }

    /// The client with connections of its own: those of the runtime that created it may not be polled while checks run.
    pub(super) async fn own_client(&self) -> Result<Client, TableError> {
        self.client.apart().await.map_err(|error| self.table_error(error))
    }

    pub(super) fn query(&self, client: &Client, statement: Statement) -> Query {
        let query = client.query(statement.sql).max_bytes(self.max_bytes).called_at(statement.place);
        statement.values.into_iter().fold(query, Query::bind_next)
    }

    pub(super) fn table_error(&self, source: BigQueryError) -> TableError {
        TableError::BigQuery { table: self.name.clone(), source }
    }
}

impl From<TableValue> for Parameter {
    fn from(value: TableValue) -> Self {
        match value {
            TableValue::Integer(number) => number.into(),
            TableValue::Real(number) => number.into(),
            TableValue::Text(text) => text.into(),
            TableValue::Truth(truth) => truth.into(),
            TableValue::Date(text) => Self::date(text),
            TableValue::Timestamp(text) => Self::timestamp(text),
        }
    }
}

/// Quotes an identifier with backticks, with the escapes of a string literal.
pub(super) fn quoted(name: &str) -> String {
    let mut text = String::from("`");
    for letter in name.chars() {
        match letter {
            '`' | '\\' => text.extend(['\\', letter]),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            letter => text.push(letter),
        }
    }
    text + "`"
}
