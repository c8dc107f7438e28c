//! The columns of a table as they are stored: a `STRUCT` is the sum of its fields, each of which can be read alone.
//! <https://cloud.google.com/bigquery/docs/nested-repeated>

use crate::bigquery::estimate::amount::Amount;
use crate::bigquery::estimate::catalogue::tables::{Column, Mode, Table, is_pseudo};
use crate::bigquery::estimate::sizes::ColumnType;

/// A column without fields of its own: what BigQuery stores and bills.
#[derive(Debug)]
pub(super) struct Leaf<'c> {
    /// The names down to it, with dots between them, as the catalogue spells them.
    pub(super) path: String,
    column: &'c Column,
    /// A value above it may be missing.
    optional: bool,
    /// It or something above it is an array.
    repeated: bool,
}

impl Table {
    /// All that can be read of this table, with its pseudocolumns.
    pub(super) fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        for column in &self.columns {
            column.add_leaves("", false, false, &mut leaves);
        }
        leaves
    }

    /// How many columns `*` reads.
    pub(super) fn stored_leaves(&self) -> usize {
        self.leaves().iter().filter(|leaf| !leaf.is_pseudo()).count()
    }

    /// The column or field at a path; names below the last field, such as those into a JSON value, are skipped.
    pub(super) fn column_at(&self, path: &[String]) -> Option<(String, &Column)> {
        let (first, rest) = path.split_first()?;
        let mut column = self.columns.iter().find(|column| column.name.eq_ignore_ascii_case(first))?;
        let mut found = column.name.clone();
        for name in rest {
            if column.fields.is_empty() {
                break;
            }
            column = column.fields.iter().find(|column| column.name.eq_ignore_ascii_case(name))?;
            found.push('.');
            found.push_str(&column.name);
        }
        Some((found, column))
    }

    /// The paths of what is stored under a path.
    pub(super) fn leaves_under(&self, path: &[String]) -> Option<Vec<String>> {
        let (found, _) = self.column_at(path)?;
        let below = format!("{found}.");
        let is_under = |leaf: &Leaf<'_>| leaf.path == found || leaf.path.starts_with(&below);
        Some(self.leaves().into_iter().filter(is_under).map(|leaf| leaf.path).collect())
    }
}

impl Column {
    /// Removes what is known of all its values.
    pub(super) fn forget_figures(&mut self) {
        self.logical_bytes = None;
        self.nulls = None;
        self.fields.iter_mut().for_each(Self::forget_figures);
    }

    fn add_leaves<'c>(&'c self, above: &str, optional: bool, repeated: bool, leaves: &mut Vec<Leaf<'c>>) {
        let path = if above.is_empty() { self.name.clone() } else { format!("{above}.{}", self.name) };
        let repeated = repeated || self.mode == Mode::Repeated;
        if self.kind == ColumnType::Struct {
            // Whether a STRUCT is NULL is not stored apart: its fields are then NULL.
            let optional = optional || self.mode == Mode::Nullable;
            for field in &self.fields {
                field.add_leaves(&path, optional, repeated, leaves);
            }
        } else {
            leaves.push(Leaf { path, column: self, optional, repeated });
        }
    }
}

impl Leaf<'_> {
    /// Whether it is a pseudocolumn, which is not among the table's bytes.
    pub(super) fn is_pseudo(&self) -> bool {
        is_pseudo(&self.path)
    }

    /// Whether a query may read less than the whole column. Of a JSON value BigQuery can read the fields that a query
    /// names: <https://cloud.google.com/bigquery/docs/json-data>
    pub(super) fn is_read_in_parts(&self) -> bool {
        self.column.kind == ColumnType::Json
    }

    /// The bytes of this column, from what is known of it alone.
    pub(super) fn alone(&self, rows: Option<u64>) -> Amount {
        let Column { kind, mode, .. } = self.column;
        if self.path.eq_ignore_ascii_case("_TABLE_SUFFIX") {
            // A part of the table's name: no column is read for it.
            return Amount::Exact(0);
        }
        if let Some(bytes) = self.column.logical_bytes {
            return Amount::Exact(bytes);
        }
        let Some(width) = kind.width().filter(|_| !self.repeated) else {
            return Amount::unknown(format!(
                "the size of column `{}` depends on its values, and neither its logical_bytes nor the table's bytes are \
                 in the catalogue",
                self.path
            ));
        };
        let Some(rows) = rows else {
            return Amount::unknown("the number of rows is not in the catalogue");
        };
        match (self.column.nulls, mode) {
            (Some(nulls), _) if !self.optional => Amount::Exact(rows.saturating_sub(nulls).saturating_mul(width)),
            (None, Mode::Required) if !self.optional => Amount::Exact(rows.saturating_mul(width)),
            // A NULL takes no bytes, so this is the most that it can be.
            _ => Amount::AtMost(rows.saturating_mul(width)),
        }
    }
}
