//! Loads CSV files into an `SQLite` database and infers column types.
//!
//! A load either replaces the whole table or changes nothing, so that a job can run twice.

mod column;
mod error;
mod records;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;

use column::snake_case;
use records::{for_each_record, survey};

pub use column::{ColumnKind, LoadedColumn};
pub use error::LoadError;

/// The result of a load.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct LoadReport {
    /// The name of the table.
    pub table: String,
    /// The number of rows in it.
    pub rows: u64,
    /// Its columns, in the file's order.
    pub columns: Vec<LoadedColumn>,
    /// Whether the table existed before.
    pub replaced: bool,
}

/// Loads a CSV file with a header into a table, replacing it in one transaction.
///
/// Column names become `snake_case`. An empty value and `NA` are `NULL`. A column is `INTEGER` or `REAL` when all its values
/// are such numbers, otherwise `TEXT`. A number with a leading zero, such as a postcode, is text.
///
/// # Errors
///
/// When the file cannot be read, a line is not UTF-8 or has another number of values than the header, two columns have the
/// same name, the table name has other characters than letters, digits and `_`, or the database fails.
pub fn load_csv(connection: &mut Connection, table: &str, path: impl AsRef<Path>) -> Result<LoadReport, LoadError> {
    let file = path.as_ref();
    check_table(table)?;
    let columns = survey(file)?;
    let database_error = |source| LoadError::Database { file: file.to_owned(), table: table.to_owned(), source };
    let transaction = connection.transaction().map_err(database_error)?;
    let replaced = transaction.table_exists(None, table).map_err(database_error)?;
    let declared: Vec<String> = columns.iter().map(LoadedColumn::declared).collect();
    let create = format!("DROP TABLE IF EXISTS \"{table}\"; CREATE TABLE \"{table}\" ({});", declared.join(", "));
    transaction.execute_batch(&create).map_err(database_error)?;
    let places = vec!["?"; columns.len()].join(", ");
    let insert = format!("INSERT INTO \"{table}\" VALUES ({places})");
    let mut rows = 0;
    {
        let mut insert = transaction.prepare(&insert).map_err(database_error)?;
        for_each_record(file, |line, record| {
            let values = columns.iter().zip(record);
            let values = values.map(|(column, text)| column.value(text, line, file));
            let values: Vec<Value> = values.collect::<Result<_, _>>()?;
            insert.execute(params_from_iter(values)).map_err(database_error)?;
            rows += 1;
            Ok(())
        })?;
    }
    transaction.commit().map_err(database_error)?;
    Ok(LoadReport { table: table.to_owned(), rows, columns, replaced })
}

/// Loads every `.csv` file of a folder, in the order of their names, into a table named after the file in `snake_case`.
///
/// # Errors
///
/// As [`load_csv`], and when two files have the same name in `snake_case`. Files before the one that fails stay loaded.
pub fn load_folder(connection: &mut Connection, folder: impl AsRef<Path>) -> Result<Vec<LoadReport>, LoadError> {
    let folder = folder.as_ref();
    let unreadable = |source| LoadError::Read { file: folder.to_owned(), source };
    let mut tables: BTreeMap<String, PathBuf> = BTreeMap::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        if !file.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) {
            continue;
        }
        let stem = file.file_stem().unwrap_or_default().to_string_lossy();
        let table = snake_case(&stem);
        if let Some(other) = tables.insert(table.clone(), file.clone()) {
            let what = format!("{} and {} have the same table name", other.display(), file.display());
            return Err(LoadError::Table { table, what });
        }
    }
    let tables = tables.into_iter();
    tables.map(|(table, file)| load_csv(connection, &table, file)).collect()
}

fn check_table(table: &str) -> Result<(), LoadError> {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if !table.is_empty() && table.chars().all(is_word) {
        return Ok(());
    }
    Err(LoadError::Table {
        table: table.to_owned(),
        what: "what is allowed is letters, digits and `_`, one at least".to_owned(),
    })
}
