//! What may have been added to a table since its sizes were read.
//!
//! The partitions since then are counted as large as the largest of the last ones. The estimate says so.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::DateTime;

use crate::bigquery::estimate::catalogue::tables::{Partition, Table};
use crate::bigquery::estimate::constants::settings::Settings;
use crate::bigquery::estimate::constants::value::{micros, time_of, utc};
use crate::bigquery::estimate::partitions::{Axis, Content, Period, Selection, content, in_order, time_span};
use crate::bigquery::estimate::pruning::Filter;

/// How many of the last partitions are looked at for the largest.
pub(super) const RECENT: usize = 31;

/// The most partitions that a table can have:
/// <https://cloud.google.com/bigquery/quotas#partitioned_tables>
const MOST_PARTITIONS: usize = 10_000;

/// A partition that is not in the catalogue, of a table by ranges of integers.
const NEW_RANGE: &str = "(new range)";

/// The time since the sizes of a table were read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Growth {
    period: Period,
    from: DateTime,
    to: DateTime,
}

impl Growth {
    /// That of a partitioned table; `None` if no time has passed, or if its partitions are not in the catalogue.
    pub(super) fn of(table: &Table, settings: &Settings) -> Option<Self> {
        let period = Period::of_table(table)?;
        // A table without the moment had this partition, at least.
        let last = || in_order(table).last().and_then(|last| time_span(&last.id)).map(|(start, _)| start);
        let from = table.as_of_moment().map(utc).or_else(last)?;
        let to = utc(settings.moment());
        (from < to).then_some(Self { period, from, to })
    }

    /// That of a wildcard whose tables are named by days, as `events_20261126`.
    pub(super) fn of_wildcard(wildcard: &Table, settings: &Settings) -> Option<Self> {
        let last =
            dated(wildcard).last().and_then(|member| time_span(suffix(wildcard, member)?)).map(|(start, _)| start)?;
        let from = wildcard.as_of_moment().map_or(last, utc);
        let to = utc(settings.moment());
        (from < to).then_some(Self { period: Period::Day, from, to })
    }

    /// The ids of the partitions that may have been created or have grown since.
    pub(super) fn ids(&self) -> BTreeSet<String> {
        self.period.ids(self.from, self.to, MOST_PARTITIONS).collect()
    }

    /// Those up to `last`, of which `is_read` tells which are read.
    fn ids_until(&self, last: Option<DateTime>, is_read: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let to = last.map_or(self.to, |last| last.max(self.to));
        let ids = self.period.ids(self.from, to, usize::MAX).filter(|id| is_read(id));
        ids.take(MOST_PARTITIONS).collect()
    }
}

/// The partitions of a table that a filter reads.
pub(super) fn selected(table: &Table, filter: &Filter<'_>) -> Selection {
    if !filter.excludes() {
        return Selection::All;
    }
    if table.partitions.is_empty() {
        return Selection::Fewer;
    }
    let content_of = |id: &str| content(id, filter.axis, table.partition_width);
    let is_read = |partition: &&Partition| content_of(&partition.id).is_none_or(|content| filter.may_pass(content));
    let mut ids: BTreeSet<String> = table.partitions.iter().filter(is_read).map(|read| read.id.clone()).collect();
    if let Some(growth) = Growth::of(table, filter.settings) {
        let last = micros(growth.to).and_then(|now| filter.last_after(now)).and_then(time_of);
        ids.extend(growth.ids_until(last, |id| content_of(id).is_none_or(|content| filter.may_pass(content))));
    } else if filter.axis == Axis::Integers && is_old(table, filter.settings) {
        let is_range = |id: &String| matches!(content_of(id), Some(Content::Between(..)));
        if !ids.iter().any(is_range) {
            ids.insert(NEW_RANGE.to_owned());
        }
    }
    Selection::Some(ids)
}

/// The tables of a wildcard that may have been created since, of which `is_read` tells by the suffix which are read.
pub(super) fn new_members(wildcard: &Table, settings: &Settings, is_read: impl Fn(&str) -> bool) -> BTreeSet<String> {
    let Some(growth) = Growth::of_wildcard(wildcard, settings) else { return BTreeSet::new() };
    // The filter may name a suffix in the future.
    let last = growth.to.checked_add(10.years()).ok();
    let days = growth.ids_until(None, &is_read);
    let days = if days.is_empty() { growth.ids_until(last, &is_read).into_iter().take(1).collect() } else { days };
    let prefix = wildcard.name.trim_end_matches('*');
    days.into_iter().map(|day| format!("{prefix}{day}")).collect()
}

/// The tables of a wildcard that are named by days, in the order of time.
pub(super) fn dated(wildcard: &Table) -> Vec<&String> {
    let is_day = |member: &&String| {
        suffix(wildcard, member).is_some_and(|suffix| suffix.len() == 8 && time_span(suffix).is_some())
    };
    let mut members: Vec<&String> = wildcard.members.iter().filter(is_day).collect();
    members.sort();
    members
}

/// What stands in the name of a table where its wildcard has the `*`.
pub(super) fn suffix<'m>(wildcard: &Table, member: &'m str) -> Option<&'m str> {
    member.strip_prefix(wildcard.name.strip_suffix('*')?)
}

/// Whether time has passed since the sizes of a table were read.
fn is_old(table: &Table, settings: &Settings) -> bool {
    table.as_of_moment().is_some_and(|moment| moment < settings.moment())
}
