//! Partitions: their ids, and the values of the partitioning column that they hold.

use std::collections::BTreeSet;

use jiff::Span;
use jiff::civil::{Date, DateTime};

use crate::bigquery::estimate::catalogue::tables::{Partition, Table};
use crate::bigquery::estimate::constants::value::{micros, midnight};
use crate::bigquery::estimate::sizes::ColumnType;

/// Which partitions of a table, or which tables of a wildcard, are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Selection {
    All,
    /// Not all. Which is not known, because the catalogue does not have them.
    Fewer,
    /// Those with these ids. One that is not in the catalogue may have been created after it.
    Some(BTreeSet<String>),
}

impl Selection {
    /// What two uses of one table read together.
    pub(super) fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(mut ids), Self::Some(more)) => {
                ids.extend(more);
                Self::Some(ids)
            }
            (Self::Fewer, Self::Fewer) => Self::Fewer,
            _ => Self::All,
        }
    }

    /// What one use reads under two filters.
    pub(super) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Some(ids), Self::Some(more)) => Self::Some(ids.intersection(&more).cloned().collect()),
            (Self::Some(ids), _) | (_, Self::Some(ids)) => Self::Some(ids),
            (Self::All, Self::All) => Self::All,
            _ => Self::Fewer,
        }
    }
}

/// The values of a partitioning column, as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Axis {
    /// Integers.
    Integers,
    /// Microseconds since 1970 in UTC, where each value is a midnight.
    Days,
    /// Microseconds since 1970 in UTC, where each value is the beginning of a partition: the time of ingestion is
    /// "truncated to the partition boundary",
    /// <https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_ingestion-time_partitioned_table>.
    Starts,
    /// Microseconds since 1970 in UTC.
    Times,
}

impl Axis {
    /// The difference of neighbouring values.
    const fn unit(self) -> i64 {
        match self {
            Self::Days => 24 * 3_600 * 1_000_000,
            Self::Integers | Self::Times | Self::Starts => 1,
        }
    }

    /// That of the column that a table is partitioned by.
    pub(super) fn of(table: &Table) -> Self {
        let Some(column) = &table.partition_column else { return Self::Times };
        if table.is_by_ingestion() {
            return Self::Starts;
        }
        let kind = table.columns.iter().find(|known| known.name.eq_ignore_ascii_case(column)).map(|known| known.kind);
        match kind {
            Some(ColumnType::Int64) => Self::Integers,
            Some(ColumnType::Date) => Self::Days,
            _ => Self::Times,
        }
    }
}

/// What a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Rows whose value is `NULL`.
    Null,
    /// Rows of any value: those of the streaming buffer, and those outside of all ranges.
    Any,
    /// Rows with values from the first to the second, both included.
    Between(i64, i64),
}

/// How long a partition by time is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Period {
    Hour,
    Day,
    Month,
    Year,
}

impl Period {
    /// That of a partition with this id.
    fn of(id: &str) -> Option<Self> {
        if !id.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        match id.len() {
            4 => Some(Self::Year),
            6 => Some(Self::Month),
            8 => Some(Self::Day),
            10 => Some(Self::Hour),
            _ => None,
        }
    }

    /// That of the partitions of a table by time; `None` without partitions in the catalogue.
    pub(super) fn of_table(table: &Table) -> Option<Self> {
        if table.partition_width.is_some() || Axis::of(table) == Axis::Integers {
            return None;
        }
        table.partitions.iter().find_map(|partition| Self::of(&partition.id))
    }

    /// The id of the partition that begins at this time.
    fn id(self, start: DateTime) -> String {
        let format = match self {
            Self::Year => "%Y",
            Self::Month => "%Y%m",
            Self::Day => "%Y%m%d",
            Self::Hour => "%Y%m%d%H",
        };
        start.strftime(format).to_string()
    }

    fn start(self, time: DateTime) -> Option<DateTime> {
        let date = time.date();
        match self {
            Self::Year => Date::new(date.year(), 1, 1).ok().map(midnight),
            Self::Month => Some(midnight(date.first_of_month())),
            Self::Day => Some(midnight(date)),
            Self::Hour => Some(date.at(time.hour(), 0, 0, 0)),
        }
    }

    fn next(self, start: DateTime) -> Option<DateTime> {
        let span = Span::new();
        let one = match self {
            Self::Year => span.try_years(1),
            Self::Month => span.try_months(1),
            Self::Day => span.try_days(1),
            Self::Hour => span.try_hours(1),
        };
        start.checked_add(one.ok()?).ok()
    }

    /// The ids of the partitions from the one that contains `from` to the one that contains `to`, at most `most` of them.
    pub(super) fn ids(self, from: DateTime, to: DateTime, most: usize) -> impl Iterator<Item = String> {
        let start = self.start(from).filter(|start| *start <= to);
        let starts = std::iter::successors(start, move |start| self.next(*start).filter(|next| *next <= to));
        starts.take(most).map(move |start| self.id(start))
    }
}

/// What the partition of this id holds; `None` if the id is none that the table can have.
pub(super) fn content(id: &str, axis: Axis, width: Option<u64>) -> Option<Content> {
    match id {
        "__NULL__" => return Some(Content::Null),
        "__UNPARTITIONED__" => return Some(Content::Any),
        _ => {}
    }
    if axis == Axis::Integers || width.is_some() {
        let first = id.parse::<i64>().ok()?;
        // Without the width it is not known where a range ends.
        return Some(width.map_or(Content::Any, |width| {
            Content::Between(first, first.saturating_add_unsigned(width.saturating_sub(1)))
        }));
    }
    let (start, end) = time_span(id)?;
    let (start, end) = (micros(start)?, micros(end)?);
    Some(Content::Between(start, if axis == Axis::Starts { start } else { end.saturating_sub(axis.unit()) }))
}

/// From when to when a partition by time goes, its end not included.
pub(super) fn time_span(id: &str) -> Option<(DateTime, DateTime)> {
    let period = Period::of(id)?;
    let part = |from: usize, to: usize| id.get(from..to).and_then(|digits| digits.parse::<i8>().ok());
    let year = id.get(0..4)?.parse::<i16>().ok()?;
    let month = if period == Period::Year { 1 } else { part(4, 6)? };
    let day = if period <= Period::Day { part(6, 8)? } else { 1 };
    let hour = if period == Period::Hour { part(8, 10)? } else { 0 };
    let time = jiff::civil::Time::new(hour, 0, 0, 0).ok()?;
    let start = Date::new(year, month, day).ok()?.to_datetime(time);
    Some((start, period.next(start)?))
}

/// Whether an id is one that a table partitioned by time, or by ranges of integers, can have.
pub(super) fn is_id(id: &str, axis: Axis, width: Option<u64>) -> bool {
    content(id, axis, width).is_some()
}

/// The partitions by time, in the order of time.
pub(super) fn in_order(table: &Table) -> Vec<&Partition> {
    let mut by_time: Vec<&Partition> =
        table.partitions.iter().filter(|partition| Period::of(&partition.id).is_some()).collect();
    by_time.sort_by(|a, b| a.id.cmp(&b.id));
    by_time
}
