//! The columns that a query returns.

use crate::bigquery::estimate::catalogue::tables::Table;
use crate::bigquery::estimate::sql::reads::{Reads, UseId};

/// A column or field of a table.
#[derive(Debug, Clone)]
pub(super) struct Origin<'c> {
    pub(super) table: &'c Table,
    pub(super) path: Vec<String>,
    /// The use of the table, if a filter on the column also filters the rows that are read from the table.
    pub(super) use_id: Option<UseId>,
}

/// One column that a query returns, and what must be read if the column is used.
#[derive(Debug, Clone)]
pub(super) struct Output<'c> {
    /// In lower case; an expression without an alias has none.
    pub(super) name: Option<String>,
    pub(super) reads: Reads,
    /// The columns that it is, unchanged: several under `UNION ALL`.
    pub(super) origins: Vec<Origin<'c>>,
    /// Whether it is one of the origins in every row.
    pub(super) is_column: bool,
}

/// The columns that a query returns.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows<'c> {
    pub(super) outputs: Vec<Output<'c>>,
    /// There are more columns, with names that are not known; what must be read for any of them.
    pub(super) open: Option<Reads>,
    /// What is read whichever columns are used.
    pub(super) always: Reads,
}

impl<'c> Output<'c> {
    /// An expression.
    pub(super) fn new(name: Option<String>, reads: Reads) -> Self {
        Self { name, reads, origins: Vec::new(), is_column: false }
    }

    /// A column of a table.
    pub(super) fn column(name: Option<String>, reads: Reads, origin: Origin<'c>) -> Self {
        Self { name, reads, origins: vec![origin], is_column: true }
    }
}

impl Rows<'_> {
    /// Separates the rows from those of the tables: a filter on these columns filters none of the tables.
    pub(super) fn forget_uses(&mut self) {
        for origin in self.outputs.iter_mut().flat_map(|output| &mut output.origins) {
            origin.use_id = None;
        }
    }

    /// The same rows for another place in the query, with uses of its own.
    pub(super) fn fresh(mut self, mut next: impl FnMut() -> UseId) -> Self {
        let ids = self.always.renumber(&mut next);
        for origin in self.outputs.iter_mut().flat_map(|output| &mut output.origins) {
            origin.use_id = origin.use_id.and_then(|id| ids.get(&id).copied());
        }
        self
    }

    /// What is read when every column is used.
    pub(super) fn all(mut self) -> Reads {
        self.take_all();
        self.always
    }

    /// Marks every column as used, as `DISTINCT` does.
    pub(super) fn take_all(&mut self) {
        for output in &self.outputs {
            self.always.add(output.reads.clone());
        }
        if let Some(open) = &self.open {
            self.always.add(open.clone());
        }
    }

    /// Forgets which column reads what.
    pub(super) fn outputs_as_one(&mut self) {
        let mut open = self.open.take().unwrap_or_default();
        for output in std::mem::take(&mut self.outputs) {
            open.add(output.reads);
        }
        open.set_at_most();
        self.open = Some(open);
    }

    /// The rows of both queries, as `UNION ALL` returns them.
    pub(super) fn under(mut self, mut other: Self) -> Self {
        let same_shape = self.outputs.len() == other.outputs.len();
        if !same_shape || self.open.is_some() || other.open.is_some() {
            // It is not known which columns are one.
            self.take_all();
            other.take_all();
        }
        for (output, other) in self.outputs.iter_mut().zip(other.outputs) {
            output.reads.add(other.reads);
            output.origins.extend(other.origins);
            output.is_column &= other.is_column;
        }
        if let Some(open) = other.open {
            self.open.get_or_insert_default().add(open);
        }
        self.always.add(other.always);
        self
    }

    /// The same columns by other names, those of `AS x (a, b)`.
    pub(super) fn renamed(mut self, names: &[String]) -> Self {
        for (output, name) in self.outputs.iter_mut().zip(names) {
            output.name = Some(name.clone());
        }
        self
    }
}
