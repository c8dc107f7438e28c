//! What a catalogue holds.

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
    /// How many rows there are.
    pub rows: Option<u64>,
    /// The logical bytes of the whole table.
    pub bytes: Option<u64>,
    /// The column that the table is partitioned by: a query that filters by it may read less.
    pub partition_column: Option<String>,
    /// How wide its partitions are, when they are ranges of whole numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_width: Option<u64>,
    /// Its partitions, all of them: a filter by constants then tells which are read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub partitions: Vec<Partition>,
    /// The columns that the table is clustered by: a query that filters by them may read less.
    #[serde(default)]
    pub cluster_columns: Vec<String>,
    /// Of a view: its query, which is read in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub view: Option<String>,
    /// Of a wildcard, as `project.dataset.events_*`: all tables that it stands for. Its columns are those of them all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<String>,
    /// Where the figures are published.
    pub sources: Sources,
    /// All the columns.
    pub columns: Vec<Column>,
}

/// A part of a table, by the value of its partitioning column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Partition {
    /// As `BigQuery` names it: `20261126`, `2026112607`, `202611`, `2026`, the first number of a range, `__NULL__`,
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
