//! What a catalogue holds.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::bigquery::estimate::sizes::ColumnType;

/// Tables whose size is known.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The tables, each name once.
    pub tables: Vec<Table>,
}

/// One table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Table {
    /// Project, dataset and table, with dots between them.
    pub name: String,
    /// When the sizes were read from BigQuery, in RFC 3339. Without it, the sizes of a partitioned table are those of the
    /// time of its last partition, and those of other tables do not change.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub as_of: Option<String>,
    /// How many rows there are, without those in the streaming buffer.
    pub rows: Option<u64>,
    /// The logical bytes of the whole table, without the streaming buffer.
    pub bytes: Option<u64>,
    /// What is in the streaming buffer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub streaming_buffer: Option<StreamingBuffer>,
    /// The column that the table is partitioned by; `_PARTITIONTIME` for ingestion time. A query that filters by it may
    /// read less.
    pub partition_column: Option<String>,
    /// The width of its partitions, if they are ranges of integers. Without it, no filter excludes such a partition.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_width: Option<u64>,
    /// Its partitions, all of them. They tell which are read under a filter by constants.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// The columns that the table is clustered by: a query that filters by them may read less.
    #[serde(default)]
    pub cluster_columns: Vec<String>,
    /// Of a view: its query, which is read in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Of a materialized view: its query. What the view has not stored yet is read from its base tables.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub materialized_view: Option<String>,
    /// Whether the data is outside of BigQuery: what a query reads of it is unknown.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub external: bool,
    /// Of a wildcard such as `project.dataset.events_*`: all tables that it stands for. Its columns are those of all of
    /// them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Where the figures are published.
    pub sources: Sources,
    /// All the columns.
    pub columns: Vec<Column>,
}

/// The rows of a table that were streamed in and are not in its storage yet.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamingBuffer {
    /// How many rows there are, by BigQuery's own estimate.
    pub rows: Option<u64>,
    /// The logical bytes, by BigQuery's own estimate.
    pub bytes: u64,
}

/// A part of a table, by the value of its partitioning column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// As BigQuery names it: `20261126`, `2026112607`, `202611`, `2026`, the first integer of a range, `__NULL__`,
    /// `__UNPARTITIONED__`.
    pub id: String,
    /// How many rows there are.
    pub rows: u64,
    /// The logical bytes.
    pub bytes: u64,
}

/// Where a table's figures are published.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// Where `rows` is published.
    pub rows: Option<String>,
    /// Where `bytes` is published.
    pub bytes: Option<String>,
    /// Where the columns, their types and modes are published.
    pub columns: String,
}

/// One column, or one field of a `STRUCT`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// The name.
    pub name: String,
    /// The type.
    #[serde(rename = "type")]
    pub kind: ColumnType,
    /// Whether values may be missing, or be many.
    #[serde(default)]
    pub mode: Mode,
    /// The logical bytes of all the column's values.
    pub logical_bytes: Option<u64>,
    /// How many of the values are `NULL`.
    pub nulls: Option<u64>,
    /// Where `logical_bytes` or `nulls` is published.
    pub source: Option<String>,
    /// The fields of a `STRUCT`.
    #[serde(default)]
    pub fields: Vec<Column>,
}

impl Column {
    /// A column of this type whose values may be `NULL`, without sizes and fields.
    pub(crate) fn plain(name: &str, kind: ColumnType) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            mode: Mode::Nullable,
            logical_bytes: None,
            nulls: None,
            source: None,
            fields: Vec::new(),
        }
    }
}

/// Whether a column's values may be missing, or be many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Mode {
    /// No value is `NULL`.
    Required,
    /// Values may be `NULL`.
    #[default]
    Nullable,
    /// Each value is an array.
    Repeated,
}

impl Catalogue {
    /// The table of this full name.
    #[must_use]
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|table| table.name == name)
    }
}

impl Table {
    /// When the sizes were read, if the catalogue says so.
    pub(in crate::bigquery::estimate) fn as_of_moment(&self) -> Option<Timestamp> {
        self.as_of.as_deref().and_then(|text| text.parse().ok())
    }

    /// Whether it is partitioned by the time at which its rows were loaded.
    pub(in crate::bigquery::estimate) fn is_by_ingestion(&self) -> bool {
        self.partition_column.as_deref().is_some_and(is_pseudo)
    }
}

/// Whether this is the name of a pseudocolumn: it can be named in a query, and `*` does not include it.
/// <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_ingestion-time_partitioned_table>,
/// <https://cloud.google.com/bigquery/docs/querying-wildcard-tables>
pub(in crate::bigquery::estimate) fn is_pseudo(column: &str) -> bool {
    PSEUDO.iter().any(|name| name.eq_ignore_ascii_case(column))
}

/// The pseudocolumns. Their names are reserved.
const PSEUDO: [&str; 4] = ["_PARTITIONTIME", "_PARTITIONDATE", "_TABLE_SUFFIX", "_FILE_NAME"];
