//! How many bytes of a table are read, once it is known which columns are.

use std::collections::BTreeSet;

use crate::bigquery::estimate::amount::Amount;
use crate::bigquery::estimate::catalogue::tables::{Catalogue, Column, Mode, Table};
use crate::bigquery::estimate::partitions::Selection;
use crate::bigquery::estimate::sizes::ColumnType;
use crate::bigquery::estimate::sql::reads::Reads;
use crate::bigquery::estimate::suffixes::TABLE_SUFFIX;

/// A column without fields of its own: what `BigQuery` stores and bills.
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
    /// All that is stored of this table.
    pub(super) fn leaves(&self) -> Vec<Leaf<'_>> {
        let mut leaves = Vec::new();
        for column in &self.columns {
            column.add_leaves("", false, false, &mut leaves);
        }
        leaves
    }

    /// The paths of what is stored under the names that start `path`; names beyond the last
    /// field, as those into a JSON value, are passed over.
    pub(super) fn leaves_under(&self, path: &[String]) -> Option<Vec<String>> {
        let mut columns = &self.columns;
        let mut found = String::new();
        for name in path {
            if columns.is_empty() {
                break;
            }
            let column = columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))?;
            if !found.is_empty() {
                found.push('.');
            }
            found.push_str(&column.name);
            columns = &column.fields;
        }
        let below = format!("{found}.");
        let is_under = |leaf: &Leaf<'_>| path.is_empty() || leaf.path == found || leaf.path.starts_with(&below);
        let leaves = self.leaves().into_iter().filter(is_under);
        Some(leaves.map(|leaf| leaf.path).collect())
    }

    /// The bytes of these columns together.
    fn bytes_of(&self, read: &[&Leaf<'_>]) -> Amount {
        let sure = |leaf: &&Leaf<'_>| matches!(leaf.alone(self.rows), Amount::Exact(_));
        let sum = |leaves: &[&Leaf<'_>]| {
            let amounts = leaves.iter().map(|leaf| leaf.alone(self.rows));
            amounts.fold(Amount::Exact(0), Amount::plus)
        };
        let (exact, others): (Vec<&Leaf<'_>>, Vec<&Leaf<'_>>) = read.iter().partition(|l| sure(l));
        if others.is_empty() {
            return sum(&exact);
        }
        let alone = sum(&others);
        // The table's bytes are those of all its columns, so the columns whose bytes are not
        // sure take exactly what the sure ones leave.
        let leaves = self.leaves();
        let all: Vec<&Leaf<'_>> = leaves.iter().collect();
        let all_exact: Vec<&Leaf<'_>> = all.iter().copied().filter(|l| sure(l)).collect();
        let rest = match (self.bytes, sum(&all_exact).bytes()) {
            (Some(bytes), Some(known)) => bytes.checked_sub(known),
            _ => None,
        };
        let others_total = match (rest, alone.bytes()) {
            (Some(rest), _) if others.len() + all_exact.len() == all.len() => Amount::Exact(rest),
            (Some(rest), Some(alone)) => Amount::AtMost(rest.min(alone)),
            (Some(rest), None) => Amount::AtMost(rest),
            (None, _) => alone,
        };
        sum(&exact).plus(others_total)
    }
}

impl Column {
    /// Takes away what is known of all its values.
    fn forget_figures(&mut self) {
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
    /// The bytes of this column, from what is known of it alone.
    fn alone(&self, rows: Option<u64>) -> Amount {
        let Column { kind, mode, .. } = self.column;
        if let Some(bytes) = self.column.logical_bytes {
            return Amount::Exact(bytes);
        }
        let Some(width) = kind.width().filter(|_| !self.repeated) else {
            return Amount::unknown(format!(
                "the size of column `{}` depends on its values, and neither its logical_bytes \
                 nor the table's bytes are in the catalogue",
                self.path
            ));
        };
        let Some(rows) = rows else {
            return Amount::unknown("the number of rows is not in the catalogue");
        };
        match (self.column.nulls, mode) {
            (Some(nulls), _) if !self.optional => Amount::Exact(rows.saturating_sub(nulls).saturating_mul(width)),
            (None, Mode::Required) if !self.optional => Amount::Exact(rows.saturating_mul(width)),
            // A NULL takes no bytes, so this is the most it can be.
            _ => Amount::AtMost(rows.saturating_mul(width)),
        }
    }
}

/// For each table that is read from: its name, the columns read, and their bytes.
pub(super) fn estimates(reads: &Reads, catalogue: &Catalogue) -> Vec<(String, Vec<String>, Amount)> {
    let mut estimates = Vec::new();
    for name in reads.tables() {
        let columns = reads.columns_of(name);
        let doubts = reads.doubts_of(name);
        let mut add = |name: &str, columns: Vec<String>, amount: Amount| {
            let amount = if doubts.is_empty() { amount } else { Amount::Unknown(doubts.clone()).plus(amount) };
            estimates.push((name.to_owned(), columns, amount));
        };
        match catalogue.table(name) {
            None => add(name, columns, Amount::unknown(missing(name, catalogue))),
            Some(wildcard) if !wildcard.members.is_empty() => {
                let selection = reads.selection_of(name);
                let is_read = |member: &&String| match selection {
                    Selection::Some(members) => members.contains(*member),
                    Selection::All | Selection::Fewer => true,
                };
                let members = wildcard.members.iter().filter(is_read);
                for member in members.filter_map(|member| catalogue.table(member)) {
                    let (read, amount) = member.read(&columns, &Selection::All, true);
                    add(&member.name, read, amount.plus(suffixes(wildcard, member, &columns)));
                }
            }
            Some(table) => {
                let (read, amount) = table.read(&columns, reads.selection_of(name), reads.is_at_most());
                add(name, read, amount);
            }
        }
    }
    estimates
}

/// What reading the name of the table costs for each row of a wildcard's table.
fn suffixes(wildcard: &Table, member: &Table, columns: &[String]) -> Amount {
    if !columns.iter().any(|column| column.eq_ignore_ascii_case(TABLE_SUFFIX)) {
        return Amount::Exact(0);
    }
    let suffix = member.name.len().saturating_sub(wildcard.name.len() - 1) as u64;
    match member.rows {
        Some(rows) => Amount::AtMost(rows.saturating_mul(suffix + 2)),
        None => Amount::unknown("the number of rows is not in the catalogue"),
    }
}

impl Table {
    /// Which of these columns it has, and their bytes in these partitions.
    fn read(&self, columns: &[String], selection: &Selection, at_most: bool) -> (Vec<String>, Amount) {
        let is_read = |leaf: &&Leaf<'_>| columns.iter().any(|column| column.eq_ignore_ascii_case(&leaf.path));
        let leaves = self.leaves();
        let read: Vec<&Leaf<'_>> = leaves.iter().filter(is_read).collect();
        let mut amount = self.bytes_of(&read);
        if self.partition_column.is_some() || !self.cluster_columns.is_empty() || at_most {
            amount = amount.at_most();
        }
        if let Selection::Some(ids) = selection {
            let part = self.part(ids);
            let leaves = part.leaves();
            let of_part = part.bytes_of(&leaves.iter().filter(is_read).collect::<Vec<_>>());
            amount = match (amount.bytes(), of_part.bytes()) {
                (Some(all), Some(some)) => Amount::AtMost(all.min(some)),
                (None, Some(some)) => Amount::AtMost(some),
                (_, None) => amount,
            };
        }
        (read.iter().map(|leaf| leaf.path.clone()).collect(), amount)
    }

    /// These partitions as a table.
    fn part(&self, ids: &BTreeSet<String>) -> Self {
        let partitions = self.partitions.iter().filter(|partition| ids.contains(&partition.id));
        let (rows, bytes) = partitions.fold((0_u64, 0_u64), |(rows, bytes), partition| {
            (rows.saturating_add(partition.rows), bytes.saturating_add(partition.bytes))
        });
        let mut columns = self.columns.clone();
        columns.iter_mut().for_each(Column::forget_figures);
        Self { rows: Some(rows), bytes: Some(bytes), columns, partitions: Vec::new(), ..self.clone() }
    }
}

fn missing(name: &str, catalogue: &Catalogue) -> String {
    if name.ends_with('*') {
        return "which tables a wildcard stands for is not in the catalogue".to_owned();
    }
    let suffix = format!(".{name}");
    match catalogue.tables.iter().find(|table| table.name.ends_with(&suffix)) {
        Some(table) => format!("names no project; is `{}` meant?", table.name),
        None => "the table is not in the catalogue".to_owned(),
    }
}
