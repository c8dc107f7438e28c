//! A table of `BigQuery`, queried through the tracked client.

use crate::bigquery::client::api::ColumnType;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::parameter::Parameter;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::query_job::DryRun;
use crate::bigquery::client::tracked_client::Client;
use crate::checks::quality::current_table::TableName;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::store::FailingKeys;
use crate::checks::tables::store_bigquery;
use crate::checks::tables::table::{Column, Row, Table};

/// A limit that refuses no query, but still has it priced.
const NO_LIMIT: u64 = i64::MAX as u64;

/// A table of `BigQuery`. A dry run prices each query first; the query is refused above [`max_bytes`](Self::max_bytes) and
/// the limits and budgets of the enclosing scopes (`#[bq_cost]` below `#[dq_check]`).
#[derive(Clone, Debug)]
pub struct BigQueryTable {
    client: Client,
    name: String,
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

impl Table for BigQueryTable {
    fn source(&self) -> Option<TableName> {
        Some(TableName::new("bigquery", self.parts.join(".")))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn sql_name(&self) -> String {
        self.parts.each_ref().map(|part| quoted(part)).join(".")
    }

    fn quoted(&self, column: &str) -> String {
        // A field of a record follows a dot.
        column.split('.').map(quoted).collect::<Vec<_>>().join(".")
    }

    fn seconds_since(&self, sql: &str) -> String {
        format!("TIMESTAMP_DIFF(CURRENT_TIMESTAMP(), CAST({sql} AS TIMESTAMP), MICROSECOND) / 1000000")
    }

    fn as_text(&self, sql: &str) -> String {
        format!("CAST({sql} AS STRING)")
    }

    fn as_number(&self, sql: &str) -> String {
        format!("SAFE_CAST({sql} AS FLOAT64)")
    }

    fn partition_key(&self, sql: &str) -> String {
        // A FLOAT64 is refused.
        self.as_text(sql)
    }

    fn matches(&self, sql: &str) -> String {
        format!("REGEXP_CONTAINS({sql}, ?)")
    }

    fn canonical(&self, kind: &str) -> String {
        let kind = kind.trim().to_ascii_uppercase();
        if let Some(of) = kind.strip_prefix("ARRAY<").and_then(|rest| rest.strip_suffix('>')) {
            return format!("ARRAY<{}>", self.canonical(of));
        }
        if let Some(fields) = kind.strip_prefix("STRUCT<").and_then(|rest| rest.strip_suffix('>')) {
            let field = |field: &str| match field.trim().split_once(char::is_whitespace) {
                Some((name, kind)) => format!("{name} {}", self.canonical(kind)),
                None => self.canonical(field),
            };
            return format!("STRUCT<{}>", parts(fields).map(field).collect::<Vec<_>>().join(", "));
        }
        match &*kind {
            "INTEGER" | "INT" | "SMALLINT" | "BIGINT" | "TINYINT" | "BYTEINT" => "INT64",
            "FLOAT" => "FLOAT64",
            "BOOLEAN" => "BOOL",
            "RECORD" => "STRUCT",
            "DECIMAL" => "NUMERIC",
            "BIGDECIMAL" => "BIGNUMERIC",
            other => other,
        }
        .to_owned()
    }

    async fn ask(&self, statement: Statement) -> Result<Vec<Row>, TableError> {
        let client = self.own_client().await?;
        let rows = async { self.query(&client, statement).rows::<Row>().await?.all().await };
        rows.await.map_err(|error| self.table_error(error))
    }

    async fn store(&self, name: &str, failing: &FailingKeys) -> Result<(), TableError> {
        store_bigquery::keep(self, name, failing).await
    }

    async fn columns(&self) -> Result<Vec<Column>, TableError> {
        let columns = self.own_client().await?.columns(&self.parts.join(".")).await;
        Ok(columns.map_err(|error| self.table_error(error))?.iter().map(|column| self.column(column)).collect())
    }
}

/// The parts between the commas that are outside of angle brackets.
fn parts(list: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    list.split(move |letter| {
        match letter {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ => {}
        }
        letter == ',' && depth == 0
    })
}

impl BigQueryTable {
    fn column(&self, column: &ColumnType) -> Column {
        let mut kind = self.canonical(&column.kind);
        if !column.fields.is_empty() {
            let field = |field: &ColumnType| {
                let Column { name, kind } = self.column(field);
                format!("{name} {kind}")
            };
            kind = format!("{kind}<{}>", column.fields.iter().map(field).collect::<Vec<_>>().join(", "));
        }
        if let Some(of) = &column.range_element_type {
            kind = format!("{kind}<{}>", self.canonical(&of.kind));
        }
        let is_array = column.mode.as_deref() == Some("REPEATED");
        Column::new(&*column.name, if is_array { format!("ARRAY<{kind}>") } else { kind })
    }
}

impl TableCheck<'_, BigQueryTable> {
    /// What the check would read and cost, by a dry run: nothing is billed.
    ///
    /// # Errors
    /// If the query is not valid, or `BigQuery` cannot be reached.
    pub async fn dry_run(&self) -> Result<DryRun, TableError> {
        let client = self.table.own_client().await?;
        let query = self.table.query(&client, self.statement());
        query.dry_run().await.map_err(|error| self.table.table_error(error))
    }
}
