//! Values of constants, and arithmetic on dates and times.

use jiff::civil::{Date, DateTime, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The value of a constant expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bigquery::estimate) enum Constant {
    Int(i64),
    Text(String),
    Date(Date),
    Datetime(DateTime),
    /// In UTC.
    Timestamp(DateTime),
}

/// What is known of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::bigquery::estimate) enum Folded {
    /// A constant of this value.
    Known(Constant),
    /// A constant whose value is known when the query runs, such as a parameter.
    Unknown,
    /// An expression that depends on rows.
    Dynamic,
}

impl Folded {
    /// A constant, whose value may not be known.
    pub(super) fn of(value: Option<Constant>) -> Self {
        value.map_or(Self::Unknown, Self::Known)
    }
}

impl Constant {
    /// The value as a `DATE`; text is coerced, as BigQuery coerces a literal.
    pub(super) fn date(&self) -> Option<Date> {
        match self {
            Self::Date(date) => Some(*date),
            Self::Datetime(time) | Self::Timestamp(time) => Some(time.date()),
            Self::Text(text) => text.trim().parse().ok().filter(|_| text.trim().len() <= 10),
            Self::Int(_) => None,
        }
    }

    /// The value as a time of day on a date; of a timestamp, in UTC.
    pub(in crate::bigquery::estimate) fn time(&self) -> Option<DateTime> {
        match self {
            Self::Date(date) => Some(midnight(*date)),
            Self::Datetime(time) | Self::Timestamp(time) => Some(*time),
            Self::Text(text) => parse_time(text),
            Self::Int(_) => None,
        }
    }

    pub(in crate::bigquery::estimate) fn int(&self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(*value),
            Self::Text(text) => text.trim().parse().ok(),
            Self::Date(_) | Self::Datetime(_) | Self::Timestamp(_) => None,
        }
    }

    pub(in crate::bigquery::estimate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The same type with another time.
    pub(super) fn at(&self, time: DateTime) -> Self {
        match self {
            Self::Date(_) => Self::Date(time.date()),
            Self::Timestamp(_) => Self::Timestamp(time),
            Self::Datetime(_) | Self::Text(_) | Self::Int(_) => Self::Datetime(time),
        }
    }
}

/// The beginning of a day.
pub(in crate::bigquery::estimate) fn midnight(date: Date) -> DateTime {
    date.at(0, 0, 0, 0)
}

/// A date or time as BigQuery writes it, in UTC. A named time zone is not read.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical-structure#timestamp_literals>
pub(super) fn parse_time(text: &str) -> Option<DateTime> {
    let text = text.trim();
    let text = text.strip_suffix(" UTC").or_else(|| text.strip_suffix(['Z', 'z'])).unwrap_or(text);
    if text.len() <= 10 {
        return text.parse::<Date>().ok().map(midnight);
    }
    // A `-` in the date itself stands before the eleventh character.
    let offset = text.char_indices().skip(10).find(|(_, letter)| matches!(letter, '+' | '-')).map(|(at, _)| at);
    let Some((time, offset)) = offset.and_then(|at| text.split_at_checked(at)) else { return text.parse().ok() };
    let time: DateTime = time.trim_end().parse().ok()?;
    time.checked_sub(parse_offset(offset)?).ok()
}

/// An offset from UTC, such as `+02` or `-05:30`.
fn parse_offset(text: &str) -> Option<Span> {
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits = text.get(1..)?;
    let (hours, minutes) = digits.split_once(':').unwrap_or((digits, "0"));
    let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
    let valid = (0..=14).contains(&hours) && (0..60).contains(&minutes);
    valid.then(|| Span::new().try_hours(sign * hours).ok()?.try_minutes(sign * minutes).ok()).flatten()
}

/// The beginning of the part of a date or time that contains it, for a part as `DATE_TRUNC` has it. A week starts on
/// Sunday unless the part names a day.
/// <https://cloud.google.com/bigquery/docs/reference/standard-sql/timestamp_functions#timestamp_trunc>
pub(in crate::bigquery::estimate) fn truncate(time: DateTime, part: &str) -> Option<DateTime> {
    let date = time.date();
    let day = |month: i8| Date::new(date.year(), month, 1).ok().map(midnight);
    match part {
        "SECOND" => Some(date.at(time.hour(), time.minute(), time.second(), 0)),
        "MINUTE" => Some(date.at(time.hour(), time.minute(), 0, 0)),
        "HOUR" => Some(date.at(time.hour(), 0, 0, 0)),
        "DAY" => Some(midnight(date)),
        "MONTH" => day(date.month()),
        "QUARTER" => day(match date.month() {
            1..=3 => 1,
            4..=6 => 4,
            7..=9 => 7,
            _ => 10,
        }),
        "YEAR" => day(1),
        "ISOWEEK" => week(date, Weekday::Monday),
        "WEEK" => week(date, Weekday::Sunday),
        _ => week(date, weekday(part)?),
    }
}

/// The day of `WEEK(MONDAY)`.
fn weekday(part: &str) -> Option<Weekday> {
    Some(match part.strip_prefix("WEEK(")?.strip_suffix(')')? {
        "MONDAY" => Weekday::Monday,
        "TUESDAY" => Weekday::Tuesday,
        "WEDNESDAY" => Weekday::Wednesday,
        "THURSDAY" => Weekday::Thursday,
        "FRIDAY" => Weekday::Friday,
        "SATURDAY" => Weekday::Saturday,
        "SUNDAY" => Weekday::Sunday,
        _ => return None,
    })
}

fn week(date: Date, first: Weekday) -> Option<DateTime> {
    let days = first.until(date.weekday());
    date.checked_sub(Span::new().try_days(i64::from(days)).ok()?).ok().map(midnight)
}

/// A length of time of this many parts, as `INTERVAL` has it.
pub(super) fn span(number: i64, part: &str) -> Option<Span> {
    let span = Span::new();
    match part {
        "MICROSECOND" => span.try_microseconds(number),
        "MILLISECOND" => span.try_milliseconds(number),
        "SECOND" => span.try_seconds(number),
        "MINUTE" => span.try_minutes(number),
        "HOUR" => span.try_hours(number),
        "DAY" => span.try_days(number),
        "WEEK" => span.try_weeks(number),
        "MONTH" => span.try_months(number),
        "QUARTER" => span.try_months(number.checked_mul(3)?),
        "YEAR" => span.try_years(number),
        _ => return None,
    }
    .ok()
}

/// Microseconds since 1970 of a time in UTC.
pub(in crate::bigquery::estimate) fn micros(time: DateTime) -> Option<i64> {
    Some(TimeZone::UTC.to_timestamp(time).ok()?.as_microsecond())
}

/// The time in UTC of microseconds since 1970.
pub(in crate::bigquery::estimate) fn time_of(micros: i64) -> Option<DateTime> {
    Timestamp::from_microsecond(micros).ok().map(utc)
}

/// A moment as the time of day in UTC.
pub(in crate::bigquery::estimate) fn utc(moment: Timestamp) -> DateTime {
    TimeZone::UTC.to_datetime(moment)
}
