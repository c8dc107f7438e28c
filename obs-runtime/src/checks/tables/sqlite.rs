//! A table of `SQLite`.

use std::path::{Path, PathBuf};

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, ToSql, params_from_iter};

use crate::checks::quality::current_table::TableName;
use crate::checks::tables::error::TableError;
use crate::checks::tables::failing_keys::FailingKeys;
use crate::checks::tables::sqlite_connection::{Access, interruptible, quoted};
use crate::checks::tables::statement::{Statement, TableValue};
use crate::checks::tables::store_sqlite;
use crate::checks::tables::table::{Column, Row, Table};

/// A table in a file of `SQLite`. Each query opens the file read-only, on a thread of its own, and is interrupted when its check
/// exceeds its time limit. It has the functions `regexp`, `sqrt`, `stddev`, `variance`, `median` and `quantile(value, share)`, for
/// SQL in checks. Queries do not wait for each other. While a writer commits, a query waits for it, at most 5 seconds;
/// in the journal mode `WAL` it does not, and does not delay writers either.
#[derive(Clone, Debug)]
pub struct SqliteTable {
    file: PathBuf,
    name: String,
}

impl SqliteTable {
    /// The table or view of that name in this file.
    pub fn new(file: impl AsRef<Path>, name: impl Into<String>) -> Self {
        Self { file: file.as_ref().to_owned(), name: name.into() }
    }

    async fn rows(&self, statement: Statement) -> Result<Vec<Row>, TableError> {
        let rows = interruptible(&self.file, Access::Read, move |connection| Self::read(connection, &statement)).await;
        rows.map_err(|error| self.table_error(error))
    }

    fn read(connection: &Connection, statement: &Statement) -> rusqlite::Result<Vec<Row>> {
        let mut prepared = connection.prepare(&statement.sql)?;
        let columns = prepared.column_count();
        let rows = prepared.query_map(params_from_iter(statement.values.iter().map(Parameter)), |row| {
            (0..columns).map(|column| Ok(text(row.get_ref(column)?))).collect()
        })?;
        rows.collect()
    }

    fn table_error(&self, source: rusqlite::Error) -> TableError {
        let file = self.file.display().to_string();
        let is_of_file = source.sqlite_error_code().is_some_and(is_of_file) && !source.to_string().contains(&file);
        let source = if is_of_file { Box::new(FileError { file, source }) as Box<_> } else { Box::new(source) as _ };
        TableError::Sqlite { table: self.name.clone(), source }
    }
}

/// An error of a file, of which `SQLite` does not say the name.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {source}")]
struct FileError {
    file: String,
    source: rusqlite::Error,
}

/// Whether an error is one of the file, not of the statement.
const fn is_of_file(code: ErrorCode) -> bool {
    matches!(
        code,
        ErrorCode::CannotOpen
            | ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseCorrupt
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::FileLockingProtocolFailed
            | ErrorCode::NotADatabase
            | ErrorCode::PermissionDenied
            | ErrorCode::ReadOnly
            | ErrorCode::SystemIoFailure
    )
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Null => None,
        ValueRef::Integer(number) => Some(number.to_string()),
        ValueRef::Real(number) => Some(number.to_string()),
        ValueRef::Text(text) => Some(String::from_utf8_lossy(text).into_owned()),
        ValueRef::Blob(bytes) => Some(format!("{} bytes", bytes.len())),
    }
}

/// A value as a parameter. The implementation of `ToSql` is not part of the public API.
struct Parameter<'v>(&'v TableValue);

impl ToSql for Parameter<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match self.0 {
            TableValue::Integer(number) => ValueRef::Integer(*number),
            TableValue::Real(number) => ValueRef::Real(*number),
            TableValue::Truth(truth) => ValueRef::Integer((*truth).into()),
            TableValue::Text(text) | TableValue::Date(text) | TableValue::Timestamp(text) => {
                ValueRef::Text(text.as_bytes())
            }
        }))
    }
}

impl Table for SqliteTable {
    fn source(&self) -> Option<TableName> {
        let file = self.file.canonicalize().or_else(|_| std::path::absolute(&self.file)).ok()?;
        Some(TableName::new(format!("sqlite://{}", file.display()), &*self.name))
    }

    fn name(&self) -> &str {
        &self.name
    }

    fn sql_name(&self) -> String {
        quoted(&self.name)
    }

    fn quoted(&self, column: &str) -> String {
        quoted(column)
    }

    fn seconds_since(&self, sql: &str) -> String {
        // A number is seconds since 1970 here; `julianday` would take it for a Julian day.
        format!(
            "(julianday('now') - CASE typeof({sql}) WHEN 'text' THEN julianday({sql}) WHEN 'null' THEN NULL \
             ELSE 2440587.5 + {sql} / 86400.0 END) * 86400.0"
        )
    }

    fn as_text(&self, sql: &str) -> String {
        format!("CAST({sql} AS TEXT)")
    }

    fn as_number(&self, sql: &str) -> String {
        format!("obs_number({sql})")
    }

    fn matches(&self, sql: &str) -> String {
        format!("{sql} REGEXP ?")
    }

    fn length(&self, sql: &str) -> String {
        format!("LENGTH({sql})")
    }

    fn mismatch(&self, sql: &str, value: &TableValue) -> Option<String> {
        Some(match value {
            TableValue::Integer(_) | TableValue::Real(_) | TableValue::Truth(_) => {
                format!("typeof({sql}) IN ('text', 'blob')")
            }
            TableValue::Text(_) | TableValue::Date(_) | TableValue::Timestamp(_) => {
                format!("typeof({sql}) IN ('integer', 'real', 'blob')")
            }
        })
    }

    fn cannot_read(&self, other: &Self) -> Option<String> {
        let same = |left: &Path, right: &Path| match (left.canonicalize(), right.canonicalize()) {
            (Ok(left), Ok(right)) => left == right,
            _ => left == right,
        };
        (!same(&self.file, &other.file)).then(|| "they are in different files of SQLite".to_owned())
    }

    async fn ask(&self, statement: Statement) -> Result<Vec<Row>, TableError> {
        self.rows(statement).await
    }

    async fn store(&self, name: &str, failing: &FailingKeys) -> Result<(), TableError> {
        store_sqlite::keep(&self.file, name, failing).await.map_err(|error| self.table_error(error))
    }

    async fn columns(&self) -> Result<Vec<Column>, TableError> {
        let statement = Statement::new("SELECT name, type FROM pragma_table_xinfo(?) ORDER BY cid", [&*self.name]);
        let rows = self.rows(statement).await?;
        let column = |row: Row| {
            let mut texts = row.into_iter().map(Option::unwrap_or_default);
            Column::new(texts.next().unwrap_or_default(), texts.next().unwrap_or_default())
        };
        let columns: Vec<Column> = rows.into_iter().map(column).collect();
        if columns.is_empty() {
            return Err(TableError::Answer { table: self.name.clone(), why: "the table does not exist".to_owned() });
        }
        Ok(columns)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(file: &Path, sql: &str) -> String {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let table = SqliteTable::new(file, "users");
        runtime.block_on(table.ask(Statement::new(sql, Vec::<TableValue>::new()))).unwrap_err().to_string()
    }

    #[test]
    fn an_error_of_a_file_names_it_once_and_one_of_a_statement_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let (none, other, file) = (folder.path().join("none"), folder.path().join("other"), folder.path().join("file"));
        std::fs::write(&other, "this is no database, though it is long enough to look like one ".repeat(90)).unwrap();
        Connection::open(&file).unwrap().execute("CREATE TABLE users (id)", []).unwrap();
        let all = "SELECT * FROM users";
        assert_eq!(error(&other, all), format!("users: {}: file is not a database", other.display()));
        let absent = error(&none, all);
        assert_eq!(absent.matches(&*none.display().to_string()).count(), 1, "{absent}");
        assert!(error(&file, "SELECT * FROM orders").starts_with("users: no such table: orders"));
        for (code, says) in [(5, "database is locked"), (10, "disk I/O error"), (13, "database or disk is full")] {
            let failure = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), Some(says.to_owned()));
            let error = SqliteTable::new(&file, "users").table_error(failure).to_string();
            assert_eq!(error, format!("users: {}: {says}", file.display()));
        }
    }
}
