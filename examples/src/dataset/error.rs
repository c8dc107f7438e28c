//! Why a file is not loaded.

use std::path::PathBuf;

use thiserror::Error;

/// Why a file is not loaded. The table is then as it was before.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file or folder cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not well formed.
    #[error("{}:{line}: {what}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// What is wrong with it.
        what: String,
    },
    /// A column's name cannot be used.
    #[error("{}:1: column {number} `{header}`: {what}", file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// The column, counted from 1.
        number: usize,
        /// Its name in the file.
        header: String,
        /// What is wrong with it.
        what: String,
    },
    /// A value is of another type than before: the file changed while it was read.
    #[error("{}:{line}: column `{column}`: `{value}` is not {expected}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, counted from 1.
        line: u64,
        /// The column.
        column: String,
        /// The value.
        value: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// The table's name cannot be used.
    #[error("table `{table}`: {what}")]
    Table {
        /// The name.
        table: String,
        /// What is wrong with it, and what is allowed.
        what: String,
    },
    /// The database refuses.
    #[error("{}: table `{table}` cannot be written", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// The table.
        table: String,
        /// Why.
        source: rusqlite::Error,
    },
}
