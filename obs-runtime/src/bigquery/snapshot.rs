//! Snapshots of the metadata of live tables, for estimates without an account.

use gcp_bigquery_client::model::field_type::FieldType;
use gcp_bigquery_client::model::table::Table as Live;
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use gcp_bigquery_client::table::ListOptions;
use jiff::{Timestamp, Unit};
use serde::Deserialize;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::estimate::catalogue::tables::{
    Catalogue, Column, Mode, Partition, Sources, StreamingBuffer, Table,
};
use crate::bigquery::estimate::sizes::ColumnType;

/// A row of `INFORMATION_SCHEMA.PARTITIONS`.
#[derive(Deserialize)]
struct PartitionRow {
    id: Option<String>,
    rows: Option<u64>,
    bytes: Option<u64>,
}

/// The pseudo column of tables that are partitioned by ingestion time.
const LOADING: [(&str, ColumnType); 2] =
    [("_PARTITIONTIME", ColumnType::Timestamp), ("_PARTITIONDATE", ColumnType::Date)];

impl Client {
    /// Gets the metadata of these tables as a catalogue for estimates: rows, columns, logical bytes, partitioning and
    /// clustering; for views, the query. A name that ends with `*` is a wildcard for all matching tables.
    ///
    /// With `partitions`, also gets the size of each partition. That takes a query of `INFORMATION_SCHEMA` for each
    /// partitioned table, which is billed for 10 MiB.
    ///
    /// # Errors
    /// Returns an error if a table does not exist, or if BigQuery cannot be reached.
    pub async fn snapshot(&self, names: &[&str], partitions: bool) -> Result<Catalogue, BigQueryError> {
        let mut catalogue = Catalogue { tables: Vec::new() };
        // Before the first request: what is written while the sizes are read counts as newer.
        let as_of = Timestamp::now().round(Unit::Second).map(|moment| moment.to_string()).ok();
        for name in names {
            let (project, dataset, table) = self.parts(name)?;
            let Some(prefix) = table.strip_suffix('*') else {
                let table = self.snapshot_of(&format!("{project}.{dataset}.{table}"), partitions).await?;
                add(&mut catalogue, table);
                continue;
            };
            let members = self.tables_with(&project, &dataset, prefix).await?;
            let mut columns: Vec<Column> = vec![Column::plain("_TABLE_SUFFIX", ColumnType::String)];
            for member in &members {
                let table = self.snapshot_of(member, partitions).await?;
                merge(&mut columns, &table.columns);
                add(&mut catalogue, table);
            }
            let name = format!("{project}.{dataset}.{table}");
            add(&mut catalogue, Table { members, columns, ..empty(name, "its tables") });
        }
        catalogue.tables.iter_mut().for_each(|table| table.as_of.clone_from(&as_of));
        Ok(catalogue)
    }

    async fn snapshot_of(&self, name: &str, partitions: bool) -> Result<Table, BigQueryError> {
        let live = self.table(name).await?;
        let mut table = of(name, live);
        if partitions && table.partition_column.is_some() {
            table.partitions = self.partitions_of(name).await?;
        }
        Ok(table)
    }

    /// The tables of a data set whose names begin with a prefix, sorted.
    async fn tables_with(&self, project: &str, dataset: &str, prefix: &str) -> Result<Vec<String>, BigQueryError> {
        let mut names = Vec::new();
        let mut next: Option<String> = None;
        loop {
            let page = self
                .request(|api| {
                    let options = match &next {
                        Some(token) => ListOptions::default().page_token(token.clone()),
                        None => ListOptions::default(),
                    };
                    async move { api.table().list(project, dataset, options).await }
                })
                .await?;
            let tables = page.tables.unwrap_or_default().into_iter().map(|table| table.table_reference.table_id);
            names.extend(
                tables.filter(|name| name.starts_with(prefix)).map(|name| format!("{project}.{dataset}.{name}")),
            );
            match page.next_page_token.filter(|token| !token.is_empty()) {
                Some(token) => next = Some(token),
                None => break,
            }
        }
        names.sort();
        Ok(names)
    }

    async fn partitions_of(&self, name: &str) -> Result<Vec<Partition>, BigQueryError> {
        let (project, dataset, table) = self.parts(name)?;
        let sql = format!(
            "SELECT partition_id AS id, total_rows AS `rows`, total_logical_bytes AS bytes \
             FROM `{project}.{dataset}.INFORMATION_SCHEMA.PARTITIONS` WHERE table_name = @name ORDER BY partition_id"
        );
        let rows = self.query(sql).bind("name", table).rows::<PartitionRow>().await?.all().await?;
        let partition = |row: PartitionRow| {
            Some(Partition { id: row.id?, rows: row.rows.unwrap_or(0), bytes: row.bytes.unwrap_or(0) })
        };
        Ok(rows.into_iter().filter_map(partition).collect())
    }
}

fn add(catalogue: &mut Catalogue, table: Table) {
    if catalogue.table(&table.name).is_none() {
        catalogue.tables.push(table);
    }
}

fn empty(name: String, source: &str) -> Table {
    Table {
        name,
        as_of: None,
        rows: None,
        bytes: None,
        streaming_buffer: None,
        partition_column: None,
        partition_width: None,
        partitions: Vec::new(),
        cluster_columns: Vec::new(),
        view: None,
        materialized_view: None,
        external: false,
        members: Vec::new(),
        sources: Sources { rows: None, bytes: None, columns: source.to_owned() },
        columns: Vec::new(),
    }
}

/// Converts the metadata of a table into an entry of the catalogue.
fn of(name: &str, live: Live) -> Table {
    let source =
        format!("tables.get of {name}, last modified at {} ms", live.last_modified_time.as_deref().unwrap_or("?"));
    let number = |text: Option<String>| text.and_then(|text| text.parse::<u64>().ok());
    let mut columns: Vec<Column> = live.schema.fields.iter().flatten().filter_map(column).collect();
    let by_time = live.time_partitioning.map(|by| by.field.unwrap_or_else(|| LOADING[0].0.to_owned()));
    if by_time.as_deref() == Some(LOADING[0].0) {
        columns.extend(LOADING.map(|(name, kind)| Column::plain(name, kind)));
    }
    let by_range = live.range_partitioning;
    let partition_width = by_range.as_ref().and_then(|by| by.range.as_ref()?.interval.parse().ok());
    let is_view = live.view.is_some();
    let view = live.view.filter(|view| view.use_legacy_sql != Some(true)).map(|view| view.query);
    let external = live.external_data_configuration.is_some();
    let has_figures = !is_view && !external;
    let streaming_buffer = live.streaming_buffer.map(|buffer| StreamingBuffer {
        rows: number(buffer.estimated_rows),
        bytes: number(buffer.estimated_bytes).unwrap_or(0),
    });
    let figures = |figure: Option<u64>| figure.filter(|_| has_figures);
    let (rows, bytes) = (figures(number(live.num_rows)), figures(number(live.num_bytes)));
    Table {
        partition_column: by_time.or_else(|| by_range.and_then(|by| by.field)),
        partition_width,
        cluster_columns: live.clustering.and_then(|clustering| clustering.fields).unwrap_or_default(),
        sources: Sources {
            rows: rows.map(|_| source.clone()),
            bytes: bytes.map(|_| source.clone()),
            columns: source.clone(),
        },
        rows,
        bytes,
        streaming_buffer: streaming_buffer
            .filter(|buffer| buffer.bytes > 0 || buffer.rows.is_some_and(|rows| rows > 0)),
        view,
        materialized_view: live.materialized_view.map(|view| view.query),
        external,
        columns,
        ..empty(name.to_owned(), &source)
    }
}

fn column(field: &TableFieldSchema) -> Option<Column> {
    let kind = match field.r#type {
        FieldType::String => ColumnType::String,
        FieldType::Bytes => ColumnType::Bytes,
        FieldType::Integer | FieldType::Int64 => ColumnType::Int64,
        FieldType::Float | FieldType::Float64 => ColumnType::Float64,
        FieldType::Numeric => ColumnType::Numeric,
        FieldType::Bignumeric => ColumnType::Bignumeric,
        FieldType::Boolean | FieldType::Bool => ColumnType::Bool,
        FieldType::Timestamp => ColumnType::Timestamp,
        FieldType::Date => ColumnType::Date,
        FieldType::Time => ColumnType::Time,
        FieldType::Datetime => ColumnType::Datetime,
        FieldType::Record | FieldType::Struct => ColumnType::Struct,
        FieldType::Geography => ColumnType::Geography,
        FieldType::Json => ColumnType::Json,
        FieldType::Interval => ColumnType::Interval,
    };
    let fields: Vec<Column> = field.fields.iter().flatten().filter_map(column).collect();
    if (kind == ColumnType::Struct) == fields.is_empty() {
        return None;
    }
    let mode = match field.mode.as_deref() {
        Some("REQUIRED") => Mode::Required,
        Some("REPEATED") => Mode::Repeated,
        _ => Mode::Nullable,
    };
    Some(Column { mode, fields, ..Column::plain(&field.name, kind) })
}

/// Adds missing columns and fields. A column that is not required in all tables is nullable.
fn merge(columns: &mut Vec<Column>, more: &[Column]) {
    for new in more {
        match columns.iter_mut().find(|known| known.name.eq_ignore_ascii_case(&new.name)) {
            Some(known) => merge(&mut known.fields, &new.fields),
            None => columns.push(Column { mode: Mode::Nullable, ..new.clone() }),
        }
    }
}
