//! What is read: a set that only grows.

use std::collections::{BTreeMap, BTreeSet};

use crate::bigquery::estimate::catalogue::tables::Catalogue;
use crate::bigquery::estimate::partitions::Selection;

/// One place at which a query names a table.
pub(super) type UseId = usize;

/// With more uses of tables than this, they are no longer told apart. A chain of joins of one query with itself doubles
/// them at every step.
const MOST_USES: usize = 256;

/// What a query, or a part of one, reads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bigquery::estimate) struct Reads {
    /// Columns by table. A table of which no column is read is here, too.
    tables: BTreeMap<String, BTreeSet<String>>,
    /// Why it is not known what is read from a table.
    doubts: BTreeMap<String, BTreeSet<String>>,
    /// What is not understood and belongs to no single table.
    unknown: BTreeSet<String>,
    /// Less may be read.
    at_most: bool,
    /// The table of each use, and the partitions that the use reads.
    uses: BTreeMap<UseId, (String, Selection)>,
    /// Arrays of `STRUCT`s that are gone through, by table and path. At least one field of each is read.
    arrays: BTreeSet<(String, String)>,
}

impl Reads {
    /// A use of a table, of which no column is read yet.
    pub(super) fn table(name: &str, id: UseId) -> Self {
        let uses = BTreeMap::from([(id, (name.to_owned(), Selection::All))]);
        Self { uses, ..Self::columns(name, []) }
    }

    pub(super) fn columns(table: &str, columns: impl IntoIterator<Item = String>) -> Self {
        Self { tables: BTreeMap::from([(table.to_owned(), columns.into_iter().collect())]), ..Self::default() }
    }

    /// Going through an array of `STRUCT`s: some field of it is read, which one depends on the rest of the query.
    pub(super) fn array(table: &str, path: String) -> Self {
        Self { arrays: BTreeSet::from([(table.to_owned(), path)]), ..Self::default() }
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
        for (id, (table, selection)) in other.uses {
            let selection = match self.uses.remove(&id) {
                Some((_, own)) => own.or(selection),
                None => selection,
            };
            self.uses.insert(id, (table, selection));
        }
        self.unknown.extend(other.unknown);
        self.arrays.extend(other.arrays);
        self.at_most |= other.at_most;
    }

    pub(super) fn plus(mut self, other: Self) -> Self {
        self.add(other);
        self
    }

    /// Marks that less may be read.
    pub(super) fn set_at_most(&mut self) {
        self.at_most = true;
    }

    /// Restricts a use to partitions that its rows may be in.
    pub(super) fn restrict(&mut self, id: UseId, selection: Selection) {
        if let Some((_, own)) = self.uses.get_mut(&id) {
            *own = std::mem::replace(own, Selection::All).and(selection);
        }
    }

    /// Gives the uses other ids, and returns the new ones by the old ones; none if the uses are too many to be told apart.
    pub(super) fn renumber(&mut self, next: &mut impl FnMut() -> UseId) -> BTreeMap<UseId, UseId> {
        if self.uses.len() > MOST_USES {
            let mut by_table: BTreeMap<String, Selection> = BTreeMap::new();
            for (table, selection) in std::mem::take(&mut self.uses).into_values() {
                let both = match by_table.remove(&table) {
                    Some(own) => own.or(selection),
                    None => selection,
                };
                by_table.insert(table, both);
            }
            self.uses = by_table.into_iter().map(|one| (next(), one)).collect();
            return BTreeMap::new();
        }
        let mut ids = BTreeMap::new();
        for (old, one) in std::mem::take(&mut self.uses) {
            let new = next();
            ids.insert(old, new);
            self.uses.insert(new, one);
        }
        ids
    }

    /// Adds the fields of the arrays of which no field is read: which of them is read then is not known.
    pub(super) fn settle(&mut self, catalogue: &Catalogue) {
        for (table, path) in std::mem::take(&mut self.arrays) {
            let columns = self.tables.entry(table.clone()).or_default();
            let below = format!("{path}.");
            let is_read = columns.iter().any(|column| *column == path || column.starts_with(&below));
            if is_read {
                continue;
            }
            let path: Vec<String> = path.split('.').map(str::to_owned).collect();
            let fields = catalogue.table(&table).and_then(|table| table.leaves_under(&path)).unwrap_or_default();
            self.at_most |= fields.len() > 1;
            columns.extend(fields);
        }
    }

    pub(in crate::bigquery::estimate) fn is_at_most(&self) -> bool {
        self.at_most
    }

    /// Which partitions of a table are read, by all uses together.
    pub(in crate::bigquery::estimate) fn selection_of(&self, table: &str) -> Selection {
        let uses = self.uses.values().filter(|(name, _)| name == table);
        uses.map(|(_, selection)| selection.clone()).reduce(Selection::or).unwrap_or(Selection::All)
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

    /// What is not understood and belongs to no single table.
    pub(in crate::bigquery::estimate) fn unknown(&self) -> Vec<String> {
        let strays = self.doubts.iter().filter(|(t, _)| !self.tables.contains_key(*t));
        let strays = strays.flat_map(|(_, why)| why);
        self.unknown.iter().chain(strays).cloned().collect()
    }
}
