//! The table that the check on this thread reads.

use std::cell::RefCell;

use serde::Serialize;

/// A table, as `OpenLineage` names data sets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct TableName {
    /// The data source: `bigquery`, `sqlite:///data/warehouse.db`, `postgres://host:5432`.
    pub namespace: String,
    /// The name of the table in the data source.
    pub name: String,
}

impl TableName {
    /// The table of this name in a data source.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }
}

thread_local! {
    static CURRENT: RefCell<Option<TableName>> = const { RefCell::new(None) };
}

/// Notes a table that the check on this thread reads. The first one counts.
pub fn note(table: Option<TableName>) {
    if let Some(table) = table {
        CURRENT.with_borrow_mut(|current| current.get_or_insert(table).clone());
    }
}

/// What was noted, if anything was.
pub fn take() -> Option<TableName> {
    CURRENT.take()
}
