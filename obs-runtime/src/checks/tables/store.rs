//! Where the keys of failing rows are kept.

use std::path::{Path, PathBuf};

/// Where the keys of failing rows are kept: a table of the database that is checked, or a file of JSON lines. A text is the name of a
/// table, a [`Path`] is a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Store(pub(super) Place);

/// A place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Table(String),
    File(PathBuf),
}

impl From<&str> for Store {
    fn from(table: &str) -> Self {
        Self(Place::Table(table.to_owned()))
    }
}

impl From<String> for Store {
    fn from(table: String) -> Self {
        Self(Place::Table(table))
    }
}

impl From<&Path> for Store {
    fn from(file: &Path) -> Self {
        Self(Place::File(file.to_owned()))
    }
}

impl From<PathBuf> for Store {
    fn from(file: PathBuf) -> Self {
        Self(Place::File(file))
    }
}

impl Store {
    /// What messages call it.
    pub(super) fn name(&self) -> String {
        match &self.0 {
            Place::Table(name) => name.clone(),
            Place::File(path) => path.display().to_string(),
        }
    }
}
