//! How many bytes of a table are read, once it is known which columns and partitions are.

use std::collections::BTreeSet;

use crate::bigquery::estimate::amount::Amount;
use crate::bigquery::estimate::catalogue::tables::{Catalogue, Column, Table};
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::growth::{self, Growth, RECENT};
use crate::bigquery::estimate::leaves::Leaf;
use crate::bigquery::estimate::partitions::{Selection, in_order};
use crate::bigquery::estimate::sql::reads::Reads;

/// What is read of one table.
#[derive(Debug)]
pub(super) struct TableReads {
    pub(super) name: String,
    /// In the table's order; a field of a `STRUCT` with its path.
    pub(super) columns: Vec<String>,
    pub(super) amount: Amount,
    /// What the amount assumes.
    pub(super) note: Option<String>,
}

/// What a query reads of each table that it names.
pub(super) fn estimates(reads: &Reads, catalogue: &Catalogue, settings: &Settings) -> Vec<TableReads> {
    let mut estimates = Vec::new();
    for name in reads.tables() {
        let columns = reads.columns_of(name);
        let doubts = reads.doubts_of(name);
        let mut add = |read: TableReads| {
            let amount =
                if doubts.is_empty() { read.amount } else { Amount::Unknown(doubts.clone()).plus(read.amount) };
            estimates.push(TableReads { amount, ..read });
        };
        match catalogue.table(name) {
            None => {
                let amount = Amount::unknown(missing(name, catalogue));
                add(TableReads { name: name.to_owned(), columns, amount, note: None });
            }
            Some(wildcard) if !wildcard.members.is_empty() => {
                members(wildcard, &columns, &reads.selection_of(name), catalogue, settings).into_iter().for_each(add);
            }
            Some(table) => add(table.read(&columns, &reads.selection_of(name), reads.is_at_most(), settings)),
        }
    }
    estimates
}

/// The moment of the oldest sizes among the tables that are read, and what to say of it if it is a day or more ago.
pub(super) fn age(reads: &Reads, catalogue: &Catalogue, settings: &Settings) -> Option<(String, Option<String>)> {
    let named = reads.tables().filter_map(|name| catalogue.table(name));
    let members = |table: &Table| table.members.iter().filter_map(|name| catalogue.table(name)).collect::<Vec<_>>();
    let all = named.flat_map(|table| std::iter::once(table).chain(members(table)));
    let oldest = all.filter_map(|table| table.as_of_moment().zip(table.as_of.clone())).min()?;
    let (moment, as_of) = oldest;
    let hours = settings.moment().duration_since(moment).as_hours();
    let note = (hours >= 24).then(|| {
        let days = hours / 24;
        format!(
            "the sizes are those of {as_of}, {days} days ago: rows written since to what existed then are not counted"
        )
    });
    Some((as_of, note))
}

/// What is read of the tables that a wildcard stands for, each billed as if it were named:
/// <https://cloud.google.com/bigquery/docs/querying-wildcard-tables>.
fn members(
    wildcard: &Table,
    columns: &[String],
    selection: &Selection,
    catalogue: &Catalogue,
    settings: &Settings,
) -> Vec<TableReads> {
    let is_read = |member: &&String| match selection {
        Selection::Some(members) => members.contains(*member),
        Selection::All | Selection::Fewer => true,
    };
    let tables = wildcard.members.iter().filter(is_read).filter_map(|member| catalogue.table(member));
    let mut read: Vec<TableReads> =
        tables.map(|member| member.read(columns, &Selection::All, true, settings)).collect();
    let new: usize = match selection {
        Selection::Some(names) => names.iter().filter(|name| !wildcard.members.contains(name)).count(),
        Selection::All | Selection::Fewer => growth::new_members(wildcard, settings, |_| true)
            .iter()
            .filter(|name| !wildcard.members.contains(name))
            .count(),
    };
    if new > 0 {
        let recent =
            growth::dated(wildcard).into_iter().rev().take(RECENT).filter_map(|member| catalogue.table(member));
        let amounts = recent.map(|member| member.read(columns, &Selection::All, true, settings).amount);
        let amount = largest(amounts).times(new as u64);
        let note = format!("{new} tables of {} are newer than the catalogue; {ASSUMED}", wildcard.name);
        read.push(TableReads { name: wildcard.name.clone(), columns: columns.to_vec(), amount, note: Some(note) });
    }
    if read.is_empty() {
        // None of its tables is read.
        let amount = Amount::AtMost(0);
        read.push(TableReads { name: wildcard.name.clone(), columns: columns.to_vec(), amount, note: None });
    }
    read
}

/// How what is newer than the catalogue is counted.
const ASSUMED: &str = "each is assumed to be as large as the largest of the last 31";

/// The largest of some amounts.
fn largest(amounts: impl Iterator<Item = Amount>) -> Amount {
    amounts
        .reduce(Amount::larger)
        .unwrap_or_else(|| Amount::unknown("no partition to compare with is in the catalogue"))
}

impl Table {
    /// The bytes of these columns together.
    fn bytes_of(&self, read: &[&Leaf<'_>]) -> Amount {
        let sure = |leaf: &&Leaf<'_>| matches!(leaf.alone(self.rows), Amount::Exact(_));
        let sum = |leaves: &[&Leaf<'_>]| {
            let amounts = leaves.iter().map(|leaf| leaf.alone(self.rows));
            amounts.fold(Amount::Exact(0), Amount::plus)
        };
        let (pseudo, read): (Vec<&Leaf<'_>>, Vec<&Leaf<'_>>) = read.iter().partition(|leaf| leaf.is_pseudo());
        let (exact, others): (Vec<&Leaf<'_>>, Vec<&Leaf<'_>>) = read.iter().partition(|l| sure(l));
        let exact = sum(&exact).plus(sum(&pseudo));
        if others.is_empty() {
            return exact;
        }
        let alone = sum(&others);
        // The table's bytes are those of all its columns, so the columns whose bytes are not certain take exactly what
        // the others leave.
        let leaves = self.leaves();
        let all: Vec<&Leaf<'_>> = leaves.iter().filter(|leaf| !leaf.is_pseudo()).collect();
        let all_exact: Vec<&Leaf<'_>> = all.iter().copied().filter(|l| sure(l)).collect();
        let rest = match (self.bytes, sum(&all_exact).bytes()) {
            (Some(bytes), Some(known)) => bytes.checked_sub(known),
            _ => None,
        };
        let others_total = match (rest, alone.bytes()) {
            (Some(rest), _) if others.len().saturating_add(all_exact.len()) == all.len() => Amount::Exact(rest),
            (Some(rest), Some(alone)) => Amount::AtMost(rest.min(alone)),
            (Some(rest), None) => Amount::AtMost(rest),
            (None, _) => alone,
        };
        exact.plus(others_total)
    }

    /// Which of these columns the table has, and their bytes in these partitions.
    fn read(&self, columns: &[String], selection: &Selection, at_most: bool, settings: &Settings) -> TableReads {
        let is_read = |leaf: &&Leaf<'_>| columns.iter().any(|column| column.eq_ignore_ascii_case(&leaf.path));
        let leaves = self.leaves();
        let read: Vec<&Leaf<'_>> = leaves.iter().filter(is_read).collect();
        let mut amount = self.bytes_of(&read);
        // Pruning by clusters is only known when the query has run:
        // <https://cloud.google.com/bigquery/docs/clustered-tables#clustered_table_pricing>
        let is_pruned = self.partition_column.is_some() || !self.cluster_columns.is_empty();
        if is_pruned || at_most || read.iter().any(|leaf| leaf.is_read_in_parts()) {
            amount = amount.at_most();
        }
        let new = self.new_partitions(selection, settings);
        if let Selection::Some(ids) = selection {
            let stored: BTreeSet<String> = ids.difference(&new).cloned().collect();
            let of_part = self.bytes_of_part(&stored, &is_read);
            amount = match (amount.bytes(), of_part.bytes()) {
                (Some(all), Some(some)) => Amount::AtMost(all.min(some)),
                (None, Some(some)) => Amount::AtMost(some),
                (_, None) => amount,
            };
        }
        let mut note = None;
        if !new.is_empty() && !read.is_empty() {
            let (more, count) = self.bytes_of_new(&new, selection, &is_read);
            amount = amount.plus(more).at_most();
            let name = &self.name;
            note = Some(format!("{count} partitions of {name} may be newer than the catalogue; {ASSUMED}"));
        }
        if !read.is_empty() {
            amount = amount.plus(self.bytes_of_buffer(selection, &is_read));
        }
        if self.external {
            amount = Amount::unknown("the table is external: its bytes are known when it is read");
        } else if let Some(age) = self.too_old(settings) {
            amount = Amount::unknown(age);
        }
        let columns = read.iter().map(|leaf| leaf.path.clone()).collect();
        TableReads { name: self.name.clone(), columns, amount, note }
    }

    /// Why the sizes are not used, if they are older than allowed.
    fn too_old(&self, settings: &Settings) -> Option<String> {
        let most = settings.max_age?;
        let Some(as_of) = self.as_of_moment() else {
            return Some("the catalogue does not say when its sizes were read".to_owned());
        };
        let age = settings.moment().duration_since(as_of);
        let is_old = age.is_positive() && age.unsigned_abs() > most;
        is_old.then(|| {
            let most = humantime::format_duration(most);
            format!("its sizes were read at {as_of}; what is allowed is an age of {most}")
        })
    }

    /// The partitions among those selected that may have been created or have grown since the catalogue.
    fn new_partitions(&self, selection: &Selection, settings: &Settings) -> BTreeSet<String> {
        let grown = Growth::of(self, settings).map(|growth| growth.ids()).unwrap_or_default();
        match selection {
            Selection::All | Selection::Fewer => grown,
            Selection::Some(ids) => {
                let is_stored = |id: &String| self.partitions.iter().any(|partition| partition.id == *id);
                ids.iter().filter(|id| grown.contains(*id) || !is_stored(id)).cloned().collect()
            }
        }
    }

    /// The bytes of partitions of which the catalogue may not have all, and how many partitions these are.
    fn bytes_of_new(
        &self,
        new: &BTreeSet<String>,
        selection: &Selection,
        is_read: &dyn Fn(&&Leaf<'_>) -> bool,
    ) -> (Amount, usize) {
        let of_one = |id: &str| self.bytes_of_part(&BTreeSet::from([id.to_owned()]), is_read);
        let by_time = in_order(self);
        let all = self.partitions.iter().collect::<Vec<_>>();
        let recent = if by_time.is_empty() { all } else { by_time.into_iter().rev().take(RECENT).collect() };
        let largest = largest(recent.into_iter().map(|partition| of_one(&partition.id)));
        let stored = new.iter().filter(|id| self.partitions.iter().any(|partition| partition.id == **id));
        // What is stored of a partition is counted with the table, unless the partitions are counted one by one.
        let is_counted = !matches!(selection, Selection::Some(_));
        let of_stored = stored.clone().map(|id| {
            let own = of_one(id);
            let counted = if is_counted { own.bytes().unwrap_or(0) } else { 0 };
            own.larger(largest.clone()).minus(counted)
        });
        let unstored = new.len().saturating_sub(stored.count());
        let of_unstored = if unstored == 0 { Amount::Exact(0) } else { largest.clone().times(unstored as u64) };
        (of_stored.fold(of_unstored, Amount::plus), new.len())
    }

    /// The bytes of some columns in these partitions.
    fn bytes_of_part(&self, ids: &BTreeSet<String>, is_read: &dyn Fn(&&Leaf<'_>) -> bool) -> Amount {
        let partitions = self.partitions.iter().filter(|partition| ids.contains(&partition.id));
        let (rows, bytes) = partitions.fold((0_u64, 0_u64), |(rows, bytes), partition| {
            (rows.saturating_add(partition.rows), bytes.saturating_add(partition.bytes))
        });
        self.bytes_of_rows(Some(rows), bytes, is_read)
    }

    /// The bytes of some columns in the streaming buffer, whose rows may belong to any partition. `numBytes` of a table
    /// is without them: <https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#Table>
    fn bytes_of_buffer(&self, selection: &Selection, is_read: &dyn Fn(&&Leaf<'_>) -> bool) -> Amount {
        const UNPARTITIONED: &str = "__UNPARTITIONED__";
        let Some(buffer) = &self.streaming_buffer else { return Amount::Exact(0) };
        // The list of partitions has the buffer, too.
        let listed = self.partitions.iter().find(|partition| partition.id == UNPARTITIONED);
        let is_counted = matches!(selection, Selection::Some(ids) if ids.contains(UNPARTITIONED))
            && listed.is_some_and(|partition| partition.bytes >= buffer.bytes);
        if is_counted || buffer.bytes == 0 {
            return Amount::Exact(0);
        }
        match self.bytes_of_rows(buffer.rows, buffer.bytes, is_read).bytes() {
            Some(bytes) => Amount::AtMost(bytes),
            None => Amount::AtMost(buffer.bytes),
        }
    }

    /// The bytes of some columns in a part of the table.
    fn bytes_of_rows(&self, rows: Option<u64>, bytes: u64, is_read: &dyn Fn(&&Leaf<'_>) -> bool) -> Amount {
        let mut columns = self.columns.clone();
        columns.iter_mut().for_each(Column::forget_figures);
        let part = Self { rows, bytes: Some(bytes), columns, partitions: Vec::new(), ..self.clone() };
        let leaves = part.leaves();
        part.bytes_of(&leaves.iter().filter(|leaf| is_read(leaf)).collect::<Vec<_>>())
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
