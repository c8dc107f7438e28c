//! The allowed values of a catalogue, beyond their types.

use std::collections::BTreeSet;
use std::path::Path;

use crate::bigquery::estimate::catalogue::error::CatalogueError;
use crate::bigquery::estimate::catalogue::tables::{Catalogue, Column, Mode, Table, is_pseudo};
use crate::bigquery::estimate::partitions;
use crate::bigquery::estimate::partitions::Axis;
use crate::bigquery::estimate::sizes::ColumnType;

/// A value that is not allowed, in a file not yet named.
pub(super) struct Fault {
    at: String,
    key: &'static str,
    value: String,
    allowed: String,
}

impl Fault {
    pub(super) fn in_file(self, file: &Path) -> CatalogueError {
        CatalogueError::Value {
            file: file.to_owned(),
            at: self.at,
            key: self.key,
            value: self.value,
            allowed: self.allowed,
        }
    }
}

fn fault(
    at: &str,
    key: &'static str,
    value: &(impl ToString + ?Sized),
    allowed: impl Into<String>,
) -> Result<(), Fault> {
    Err(Fault { at: at.to_owned(), key, value: value.to_string(), allowed: allowed.into() })
}

pub(super) fn check(catalogue: &Catalogue) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for table in &catalogue.tables {
        let at = format!("table `{}`", table.name);
        if !names.insert(&table.name) {
            return fault(&at, "name", &table.name, "each table once");
        }
        check_table(table, &at)?;
    }
    for table in &catalogue.tables {
        if let Some(missing) = table.members.iter().find(|member| !names.contains(member)) {
            return fault(
                &format!("table `{}`", table.name),
                "members",
                missing,
                "the name of a table of the catalogue",
            );
        }
    }
    Ok(())
}

fn check_table(table: &Table, at: &str) -> Result<(), Fault> {
    let parts: Vec<&str> = table.name.split('.').collect();
    if parts.len() != 3 || parts.iter().any(|part| part.is_empty()) {
        return fault(at, "name", &table.name, "project.dataset.table");
    }
    for (figure, source, key) in
        [(table.rows, &table.sources.rows, "sources.rows"), (table.bytes, &table.sources.bytes, "sources.bytes")]
    {
        if figure.is_some() && is_blank(source.as_deref()) {
            return fault(at, key, "", "where the figure is published");
        }
    }
    if is_blank(Some(&table.sources.columns)) {
        return fault(at, "sources.columns", &"", "where the columns are published");
    }
    if table.as_of.is_some() && table.as_of_moment().is_none() {
        let as_of = table.as_of.as_deref().unwrap_or_default();
        return fault(at, "as_of", as_of, "a time in RFC 3339, such as 2026-11-26T07:00:00Z");
    }
    if table.columns.is_empty() && table.view.is_none() && !table.external {
        return fault(at, "columns", &"[]", "all the table's columns");
    }
    check_columns(&table.columns, table, at)?;
    for name in table.partition_column.iter().chain(&table.cluster_columns) {
        let is_column = table.columns.iter().any(|c| c.name.eq_ignore_ascii_case(name));
        if !is_column && !is_pseudo(name) {
            return fault(at, "partition_column or cluster_columns", &name, "a column of the table");
        }
    }
    let axis = Axis::of(table);
    let is_id = |id: &str| partitions::is_id(id, axis, table.partition_width);
    if let Some(partition) = table.partitions.iter().find(|part| !is_id(&part.id)) {
        return fault(at, "partitions", &partition.id, "ids as BigQuery has them, as 20261126");
    }
    if !table.partitions.is_empty() && table.partition_column.is_none() {
        return fault(at, "partition_column", &"", "the column of the partitions");
    }
    let known = known_bytes(&table.columns);
    match table.bytes {
        Some(bytes) if known > bytes => {
            fault(at, "bytes", &bytes, format!("{known}, the logical_bytes of its columns, or more"))
        }
        _ => Ok(()),
    }
}

fn check_columns(columns: &[Column], table: &Table, at: &str) -> Result<(), Fault> {
    let mut names = BTreeSet::new();
    for column in columns {
        let at = format!("{at}, column `{}`", column.name);
        if column.name.is_empty() || column.name.contains('.') {
            return fault(&at, "name", &column.name, "a name without dots");
        }
        if !names.insert(column.name.to_lowercase()) {
            return fault(&at, "name", &column.name, "each column once, in any case");
        }
        if (column.kind == ColumnType::Struct) == column.fields.is_empty() {
            let listed = column.fields.len();
            return fault(&at, "fields", &listed, "fields for a STRUCT, and for it alone");
        }
        check_figures(column, table, &at)?;
        check_columns(&column.fields, table, &at)?;
    }
    Ok(())
}

fn check_figures(column: &Column, table: &Table, at: &str) -> Result<(), Fault> {
    let figures = column.logical_bytes.is_some() || column.nulls.is_some();
    if figures && is_blank(column.source.as_deref()) {
        return fault(at, "source", &"", "where logical_bytes or nulls is published");
    }
    if let (Some(bytes), false) = (column.logical_bytes, column.fields.is_empty()) {
        return fault(at, "logical_bytes", &bytes, "none here, but on the fields");
    }
    let Some(nulls) = column.nulls else {
        return Ok(());
    };
    match (column.mode, table.rows) {
        (Mode::Nullable, Some(rows)) if nulls <= rows => Ok(()),
        (Mode::Nullable, Some(rows)) => fault(at, "nulls", &nulls, format!("0 to {rows}, the table's rows")),
        (Mode::Nullable, None) => fault(at, "nulls", &nulls, "none while rows is not given"),
        (Mode::Required | Mode::Repeated, _) => fault(at, "nulls", &nulls, "none where the mode is not NULLABLE"),
    }
}

fn known_bytes(columns: &[Column]) -> u64 {
    columns.iter().fold(0, |sum, column| {
        sum.saturating_add(column.logical_bytes.unwrap_or(0)).saturating_add(known_bytes(&column.fields))
    })
}

fn is_blank(text: Option<&str>) -> bool {
    text.is_none_or(|text| text.trim().is_empty())
}
