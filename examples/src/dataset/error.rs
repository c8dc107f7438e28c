//! Errors of loads.

use std::path::PathBuf;

use thiserror::Error;

/// Why a load failed. The table is unchanged.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file or folder cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The file or folder.
        file: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A line is not well formed.
    #[error("{}:{line}: {what}", file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: u64,
        /// The problem.
        what: String,
    },
    /// A column's name cannot be used.
    #[error("{}:1: column {number} `{header}`: {what}", file.display())]
    Header {
        /// The file.
        file: PathBuf,
        /// The column, from 1.
        number: usize,
        /// Its name in the file.
        header: String,
        /// The problem.
        what: String,
    },
    /// The type of a value changed between two reads of the file.
    #[error("{}:{line}: column `{column}`: `{value}` is not {expected}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
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
        /// The problem and what is allowed.
        what: String,
    },
    /// The database failed.
    #[error("{}: table `{table}` cannot be written", file.display())]
    Database {
        /// The file.
        file: PathBuf,
        /// The table.
        table: String,
        /// The cause.
        source: rusqlite::Error,
    },
}
