//! A table of `BigQuery` in SQL, and what a check of it costs.

use crate::bigquery::client::api::ColumnType;
use crate::bigquery::client::query_job::DryRun;
use crate::checks::quality::current_table::TableName;
use crate::checks::tables::bigquery::{BigQueryTable, quoted};
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::statement::Statement;
use crate::checks::tables::store_bigquery;
use crate::checks::tables::table::{Column, Row, Table};

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
