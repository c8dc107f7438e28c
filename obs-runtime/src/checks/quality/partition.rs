//! The part of the data that a run of a check is about.

use std::cell::Cell;
use std::fmt;

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan as _};

use crate::base::clock;

/// The most partitions of a check in one run.
pub(super) const MAX_PARTITIONS: usize = 1000;

/// How long the partitions of a check are: `#[dq_check(partition = Day)]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum PartitionUnit {
    /// An hour: `2026-11-28T05`.
    Hour,
    /// A day: `2026-11-28`.
    Day,
    /// A month: `2026-11`.
    Month,
}

impl PartitionUnit {
    /// `hour`, `day` or `month`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Month => "month",
        }
    }

    /// The begin of the unit in which this time lies.
    fn truncated(self, time: DateTime) -> DateTime {
        let date = time.date();
        match self {
            Self::Hour => date.at(time.hour(), 0, 0, 0),
            Self::Day => date.at(0, 0, 0, 0),
            Self::Month => date.first_of_month().at(0, 0, 0, 0),
        }
    }

    /// The begin of the next one; `None` at the end of the calendar.
    fn after(self, start: DateTime) -> Option<DateTime> {
        match self {
            Self::Hour => start.checked_add(SignedDuration::from_hours(1)).ok(),
            Self::Day => start.checked_add(1.day()).ok(),
            Self::Month => start.checked_add(1.month()).ok(),
        }
    }
}

/// The part of the data that a run of a check with `#[dq_check(partition = Day)]` is about: an hour, a day or a month, in UTC.
///
/// ```
/// use obs_runtime::tables::{SqliteTable, TableError, null_ratio};
/// use obs_runtime::{Measured, dq_check};
///
/// #[dq_check(dataset = "orders", partition = Day, fail_above = "1%")]
/// async fn without_customer() -> Result<Measured, TableError> {
///     let orders = SqliteTable::new("warehouse.sqlite", "orders");
///     null_ratio(&orders, "customer").in_partition("day").measure().await
/// }
/// # let _ = without_customer;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition {
    start: DateTime,
    unit: PartitionUnit,
}

thread_local! {
    static CURRENT: Cell<Option<Partition>> = const { Cell::new(None) };
}

/// Sets the partition for this thread, which is that of one call of a check.
pub fn set_current(partition: Option<Partition>) {
    CURRENT.set(partition);
}

impl Partition {
    /// The partition of the check that runs on this thread; `None` outside of checks with partitions.
    #[must_use]
    pub fn current() -> Option<Self> {
        CURRENT.get()
    }

    /// How long it is.
    #[must_use]
    pub const fn unit(self) -> PartitionUnit {
        self.unit
    }

    /// Its begin as SQL has it: `2026-11-28`, or `2026-11-28 05:00:00` for an hour.
    #[must_use]
    pub fn start(self) -> String {
        self.written(self.start)
    }

    /// Its end, which is the begin of the next one.
    #[must_use]
    pub fn end(self) -> String {
        self.written(self.next().map_or(DateTime::MAX, |next| next.start))
    }

    fn written(self, time: DateTime) -> String {
        match self.unit {
            PartitionUnit::Hour => format!("{} {}", time.date(), time.strftime("%H:%M:%S")),
            PartitionUnit::Day | PartitionUnit::Month => time.date().to_string(),
        }
    }

    fn next(self) -> Option<Self> {
        self.unit.after(self.start).map(|start| Self { start, ..self })
    }

    /// The one of this length that is displayed so.
    pub(super) fn named(text: &str, unit: PartitionUnit) -> Option<Self> {
        parse(text).ok().filter(|partition| partition.unit == unit)
    }

    /// The last one that has ended.
    pub(super) fn latest(unit: PartitionUnit) -> Self {
        let now = TimeZone::UTC.to_datetime(Timestamp::try_from(clock::wall()).unwrap_or_default());
        let current = unit.truncated(now);
        let before = current.checked_sub(SignedDuration::from_secs(1)).unwrap_or(current);
        Self { start: unit.truncated(before), unit }
    }
}

/// `2026-11-28T05`, `2026-11-28` or `2026-11`.
impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.unit {
            PartitionUnit::Hour => "%Y-%m-%dT%H",
            PartitionUnit::Day => "%Y-%m-%d",
            PartitionUnit::Month => "%Y-%m",
        };
        formatter.pad(&self.start.strftime(form).to_string())
    }
}

/// The partitions that a run is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Partitions {
    /// The last one that has ended.
    #[default]
    Latest,
    /// Those that begin within this hour, day or month, or the one that contains it.
    Of(String),
    /// Those from this one on that have ended.
    Since(String),
}

impl Partitions {
    /// The partitions of this length, the oldest first.
    ///
    /// # Errors
    /// If the text is none, or there are too many, as a sentence.
    pub fn of(&self, unit: PartitionUnit) -> Result<Vec<Partition>, String> {
        let latest = Partition::latest(unit);
        let (text, first, last) = match self {
            Self::Latest => return Ok(vec![latest]),
            Self::Of(text) => {
                let asked = parse(text)?;
                let first = Partition { start: unit.truncated(asked.start), unit };
                let end = asked.next().map_or(DateTime::MAX, |next| next.start);
                let last = end.checked_sub(SignedDuration::from_secs(1)).unwrap_or(end);
                (text, first, Partition { start: unit.truncated(last), unit })
            }
            Self::Since(text) => (text, Partition { start: unit.truncated(parse(text)?.start), unit }, latest),
        };
        let all = std::iter::successors(Some(first), |partition| partition.next());
        let all: Vec<_> = all.take_while(|partition| *partition <= last).take(MAX_PARTITIONS + 1).collect();
        if all.len() > MAX_PARTITIONS {
            return Err(format!("there are more than {MAX_PARTITIONS} partitions since `{}`", text.escape_debug()));
        }
        Ok(all)
    }

    /// Why there are no partitions of this length, as a sentence.
    pub fn none_has_ended(&self, unit: PartitionUnit) -> String {
        let (Self::Of(text) | Self::Since(text)) = self else { return format!("no {} has ended", unit.as_str()) };
        format!("no {} has ended since `{}`", unit.as_str(), text.escape_debug())
    }

    /// Whether it names partitions.
    pub fn is_given(&self) -> bool {
        *self != Self::Latest
    }
}

/// The unit of a partition as it is written, as in [`PartitionUnit::as_str`].
pub(super) fn unit_of(written: &str) -> &'static str {
    parse(written).map_or("partition", |partition| partition.unit.as_str())
}

fn parse(text: &str) -> Result<Partition, String> {
    let wrong = || {
        format!(
            "`{}` is no partition: a day as 2026-11-28, a month as 2026-11, or an hour as 2026-11-28T05",
            text.escape_debug()
        )
    };
    let of = |date: &str, hour: i8, unit| {
        let date: Date = date.parse().ok()?;
        Some(Partition { start: DateTime::from_parts(date, jiff::civil::Time::new(hour, 0, 0, 0).ok()?), unit })
    };
    let is_plain = text.is_ascii() && text.bytes().all(|letter| letter.is_ascii_digit() || b"-T".contains(&letter));
    let parsed = match (text.len(), text.split_once('T')) {
        _ if !is_plain => None,
        (13, Some((date, hour))) => hour.parse().ok().and_then(|hour| of(date, hour, PartitionUnit::Hour)),
        (10, None) => of(text, 0, PartitionUnit::Day),
        (7, None) => of(&format!("{text}-01"), 0, PartitionUnit::Month),
        _ => None,
    };
    parsed.ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(partitions: &Partitions, unit: PartitionUnit) -> Vec<String> {
        partitions.of(unit).unwrap().iter().map(ToString::to_string).collect()
    }

    fn only(text: &str) -> Partitions {
        Partitions::Of(text.to_owned())
    }

    #[test]
    fn a_text_names_the_partitions_within_it_or_the_one_around_it() {
        assert_eq!(of(&only("2024-02-29"), PartitionUnit::Day), ["2024-02-29"]);
        assert_eq!(of(&only("2024-02"), PartitionUnit::Day).len(), 29);
        assert_eq!(of(&only("2024-02-29"), PartitionUnit::Month), ["2024-02"]);
        let hours = of(&only("2026-11-28"), PartitionUnit::Hour);
        assert_eq!((hours.len(), &*hours[0], &*hours[23]), (24, "2026-11-28T00", "2026-11-28T23"));
        assert_eq!(of(&only("2026-11-28T05"), PartitionUnit::Day), ["2026-11-28"]);
        for wrong in ["", "2026", "2026-13", "2026-11-31", "2026-11-28T24", "28.11.2026", "2026-11-28 05", "today"] {
            let error = only(wrong).of(PartitionUnit::Day).unwrap_err();
            assert!(error.starts_with(&format!("`{wrong}` is no partition")), "{error}");
        }
    }

    #[test]
    fn what_has_ended_is_counted_from_a_day_on() {
        let latest = of(&Partitions::Latest, PartitionUnit::Day);
        let month = of(&Partitions::Latest, PartitionUnit::Month);
        assert_eq!((latest.len(), month.len()), (1, 1));
        assert_eq!(of(&Partitions::Since(latest[0].clone()), PartitionUnit::Day), latest);
        let since = of(&Partitions::Since(month[0].clone()), PartitionUnit::Day);
        assert!(since.len() > 27 && since.last() == latest.last(), "{since:?}");
        let far = Partitions::Since("2999-01".to_owned());
        assert_eq!(far.of(PartitionUnit::Day), Ok(Vec::new()));
        assert_eq!(far.none_has_ended(PartitionUnit::Day), "no day has ended since `2999-01`");
        let many = Partitions::Since("1999-01".to_owned()).of(PartitionUnit::Hour).unwrap_err();
        assert_eq!(many, "there are more than 1000 partitions since `1999-01`");
    }

    #[test]
    fn a_partition_ends_where_the_next_one_begins() {
        let ends = |text: &str, unit| {
            let partition = only(text).of(unit).unwrap()[0];
            (partition.start(), partition.end())
        };
        let texts = |start: &str, end: &str| (start.to_owned(), end.to_owned());
        assert_eq!(ends("2026-12-31", PartitionUnit::Day), texts("2026-12-31", "2027-01-01"));
        assert_eq!(ends("2026-12", PartitionUnit::Month), texts("2026-12-01", "2027-01-01"));
        let hour = ends("2026-12-31T23", PartitionUnit::Hour);
        assert_eq!(hour, texts("2026-12-31 23:00:00", "2027-01-01 00:00:00"));
    }
}
