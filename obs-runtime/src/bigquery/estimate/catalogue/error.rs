//! Why a catalogue cannot be used.

use std::path::PathBuf;

use thiserror::Error;

/// Why a catalogue cannot be used. Each names the file and, within it, where.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CatalogueError {
    /// The file cannot be read.
    #[error("{}: cannot be read", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The text is not a catalogue's JSON.
    #[error("{}: not a table catalogue", file.display())]
    Parse {
        /// The file.
        file: PathBuf,
        /// What is wrong, in which line and column of the text, and what is allowed.
        source: serde_json::Error,
    },
    /// A value is not allowed.
    #[error("{}: {at}: {key} `{value}` is not allowed; what is allowed is {allowed}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The table, and the column where there is one.
        at: String,
        /// The key of the value.
        key: &'static str,
        /// The value.
        value: String,
        /// What is allowed.
        allowed: String,
    },
}
