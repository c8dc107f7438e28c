//! What a query hands out.

use crate::bigquery::estimate::sql::reads::Reads;

/// One column that a query hands out, and what must be read for it if somebody takes it.
#[derive(Debug, Clone)]
pub(super) struct Output {
    /// In lower case; an expression without an alias has none.
    pub(super) name: Option<String>,
    pub(super) reads: Reads,
}

/// What a query hands out.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) outputs: Vec<Output>,
    /// There are more columns, of names not known; what must be read for any of them.
    pub(super) open: Option<Reads>,
    /// What is read whichever columns are taken.
    pub(super) always: Reads,
}

impl Rows {
    /// What is read when every column is taken.
    pub(super) fn all(mut self) -> Reads {
        self.take_all();
        self.always
    }

    /// Makes every column taken, as `DISTINCT` does.
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

    /// Both queries' rows under each other, as `UNION ALL` puts them.
    pub(super) fn under(mut self, mut other: Self) -> Self {
        let same_shape = self.outputs.len() == other.outputs.len();
        if !same_shape || self.open.is_some() || other.open.is_some() {
            // Which column meets which cannot be told.
            self.take_all();
            other.take_all();
        }
        for (output, other) in self.outputs.iter_mut().zip(other.outputs) {
            output.reads.add(other.reads);
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
