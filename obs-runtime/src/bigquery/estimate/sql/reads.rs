//! What is read: a set that only grows.

use std::collections::{BTreeMap, BTreeSet};

use crate::bigquery::estimate::partitions::Selection;

/// What a query, or a part of one, reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bigquery::estimate) struct Reads {
    /// Columns by table; a table that is named without any column being read is here too.
    tables: BTreeMap<String, BTreeSet<String>>,
    /// Why what is read from a table is not known.
    doubts: BTreeMap<String, BTreeSet<String>>,
    /// What is not understood and belongs to no one table.
    unknown: BTreeSet<String>,
    /// Less may be read than stands here.
    at_most: bool,
    /// Which partitions of tables are read, by all who name them; all where nothing stands here.
    partitions: BTreeMap<String, Selection>,
}

impl Reads {
    /// The naming of a table: no column is read yet.
    pub(super) fn table(name: &str) -> Self {
        Self::columns(name, [])
    }

    pub(super) fn columns(table: &str, columns: impl IntoIterator<Item = String>) -> Self {
        Self { tables: BTreeMap::from([(table.to_owned(), columns.into_iter().collect())]), ..Self::default() }
    }

    /// The partitions that one use of a table reads.
    pub(super) fn partitions(table: &str, selection: Selection) -> Self {
        Self { partitions: BTreeMap::from([(table.to_owned(), selection)]), ..Self::default() }
    }

    /// Something that is not understood.
    pub(super) fn not_known(why: impl Into<String>) -> Self {
        Self { unknown: BTreeSet::from([why.into()]), ..Self::default() }
    }

    /// Something about a table that is not understood.
    pub(super) fn doubt(table: &str, why: impl Into<String>) -> Self {
        Self { doubts: BTreeMap::from([(table.to_owned(), BTreeSet::from([why.into()]))]), ..Self::default() }
    }

    pub(super) fn add(&mut self, other: Self) {
        for (table, columns) in other.tables {
            self.tables.entry(table).or_default().extend(columns);
        }
        for (table, doubts) in other.doubts {
            self.doubts.entry(table).or_default().extend(doubts);
        }
        for (table, selection) in other.partitions {
            let both = match self.partitions.remove(&table) {
                Some(own) => own.or(selection),
                None => selection,
            };
            self.partitions.insert(table, both);
        }
        self.unknown.extend(other.unknown);
        self.at_most |= other.at_most;
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// Says that less may be read than stands here.
    pub(super) fn set_at_most(&mut self) {
        self.at_most = true;
    }

    pub(in crate::bigquery::estimate) fn is_at_most(&self) -> bool {
        self.at_most
    }

    /// Which partitions of a table are read.
    pub(in crate::bigquery::estimate) fn selection_of(&self, table: &str) -> &Selection {
        self.partitions.get(table).unwrap_or(&Selection::All)
    }

    /// The tables named, in alphabetical order.
    pub(in crate::bigquery::estimate) fn tables(&self) -> impl Iterator<Item = &str> {
        self.tables.keys().map(String::as_str)
    }

    pub(in crate::bigquery::estimate) fn columns_of(&self, table: &str) -> Vec<String> {
        let columns = self.tables.get(table).into_iter().flatten();
        columns.cloned().collect()
    }

    pub(in crate::bigquery::estimate) fn doubts_of(&self, table: &str) -> Vec<String> {
        let doubts = self.doubts.get(table).into_iter().flatten();
        doubts.cloned().collect()
    }

    /// What is not understood and belongs to no one table.
    pub(in crate::bigquery::estimate) fn unknown(&self) -> Vec<String> {
        let strays = self.doubts.iter().filter(|(t, _)| !self.tables.contains_key(*t));
        let strays = strays.flat_map(|(_, why)| why);
        self.unknown.iter().chain(strays).cloned().collect()
    }
}
