//! Reads catalogues from JSON.

use std::path::Path;

use crate::bigquery::estimate::catalogue::check;
use crate::bigquery::estimate::catalogue::error::CatalogueError;
use crate::bigquery::estimate::catalogue::tables::{Catalogue, Column, Table};
use crate::bigquery::estimate::sizes::ColumnType;

/// The catalogue of `bigquery-public-data` that comes with this crate.
const SHIPPED: &str = include_str!("../bigquery-public-data.json");
const SHIPPED_NAME: &str = "bigquery-public-data.json";

impl Catalogue {
    /// The catalogue that comes with this crate: some tables of `bigquery-public-data`.
    ///
    /// # Errors
    ///
    /// None in practice: a test reads it.
    pub fn shipped() -> Result<Self, CatalogueError> {
        Self::from_json(SHIPPED, SHIPPED_NAME)
    }

    /// Reads a catalogue from a file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, is not a catalogue's JSON, or has a value that is not allowed.
    pub fn load(file: impl AsRef<Path>) -> Result<Self, CatalogueError> {
        let file = file.as_ref();
        let json =
            std::fs::read_to_string(file).map_err(|source| CatalogueError::Read { file: file.to_owned(), source })?;
        Self::from_json(&json, file)
    }

    /// Reads a catalogue from text; `file` is what errors call it.
    ///
    /// # Errors
    ///
    /// When the text is not a catalogue's JSON, or has a value that is not allowed.
    pub fn from_json(json: &str, file: impl AsRef<Path>) -> Result<Self, CatalogueError> {
        let file = file.as_ref();
        let mut catalogue: Self =
            serde_json::from_str(json).map_err(|source| CatalogueError::Parse { file: file.to_owned(), source })?;
        check::check(&catalogue).map_err(|fault| fault.in_file(file))?;
        catalogue.tables.iter_mut().for_each(add_pseudocolumns);
        Ok(catalogue)
    }
}

/// Adds the pseudocolumns that a table has and a catalogue need not list.
fn add_pseudocolumns(table: &mut Table) {
    let mut names = Vec::new();
    if table.is_by_ingestion() {
        names.extend([("_PARTITIONTIME", ColumnType::Timestamp), ("_PARTITIONDATE", ColumnType::Date)]);
    }
    if !table.members.is_empty() {
        names.push(("_TABLE_SUFFIX", ColumnType::String));
    }
    for (name, kind) in names {
        if !table.columns.iter().any(|column| column.name.eq_ignore_ascii_case(name)) {
            table.columns.push(Column::plain(name, kind));
        }
    }
}
