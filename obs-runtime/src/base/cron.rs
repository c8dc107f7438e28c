//! The times of a cron schedule in a time zone.
//!
//! Each local time counts once: one that a change of the clock leaves out does not come, and one that comes twice counts the first
//! time. That is what timers of systemd do, and what no scheduler does less often: an alert on a run that did not come is never
//! false.

use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{Timestamp, ToSpan};

/// How many days are looked at: the 29th of February comes after 8 years at the latest, on a given day of the week after 40.
const MAX_DAYS: usize = 41 * 366;

const MONTHS: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
const WEEKDAYS: [&str; 7] = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];

/// A set of numbers below 64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Numbers(u64);

impl Numbers {
    /// Whether it has this number.
    pub const fn has(self, number: u32) -> bool {
        number < 64 && self.0 & (1 << number) != 0
    }

    /// The numbers, ascending.
    pub fn iter(self) -> impl Iterator<Item = u32> {
        (0..64).filter(move |number| self.has(*number))
    }
}

/// A cron expression of five fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cron {
    pub minutes: Numbers,
    pub hours: Numbers,
    pub days: Numbers,
    pub months: Numbers,
    /// 0 is Sunday.
    pub weekdays: Numbers,
    /// Whether a day needs to be in one of `days` and `weekdays` only: neither field begins with `*`.
    pub either_day: bool,
}

impl Cron {
    /// Reads five fields as the attribute accepts them. `None` for anything else, such as an interval.
    pub fn parse(text: &str) -> Option<Self> {
        let fields: Vec<&str> = text.split_ascii_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = fields[..] else { return None };
        let in_week = numbers(weekdays, 0, 7, &WEEKDAYS)?.0;
        Some(Self {
            minutes: numbers(minutes, 0, 59, &[])?,
            hours: numbers(hours, 0, 23, &[])?,
            days: numbers(days, 1, 31, &[])?,
            months: numbers(months, 1, 12, &MONTHS)?,
            // Sunday is 7, too.
            weekdays: Numbers((in_week | in_week >> 7) & 0x7f),
            either_day: !days.starts_with('*') && !weekdays.starts_with('*'),
        })
    }

    /// The first time after a point in time. `None` if none comes.
    pub fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let mut date = after.to_zoned_datetime(zone.clone()).date();
        for _ in 0..MAX_DAYS {
            if self.is_on(date)
                && let Some(found) = self.times_on(date, zone).find(|time| *time > after)
            {
                return Some(found);
            }
            date = date.checked_add(1.day()).ok()?;
        }
        None
    }

    fn is_on(&self, date: Date) -> bool {
        let number = |number: i8| u32::try_from(number).unwrap_or_default();
        let day = self.days.has(number(date.day()));
        let weekday = self.weekdays.has(number(date.weekday().to_sunday_zero_offset()));
        let is_day = if self.either_day { day || weekday } else { day && weekday };
        is_day && self.months.has(number(date.month()))
    }

    fn times_on<'z>(&'z self, date: Date, zone: &'z TimeZone) -> impl Iterator<Item = Timestamp> + 'z {
        let small = |number: u32| i8::try_from(number).unwrap_or_default();
        let times = self.hours.iter().flat_map(move |hour| self.minutes.iter().map(move |minute| (hour, minute)));
        times.filter_map(move |(hour, minute)| {
            let civil = date.at(small(hour), small(minute), 0, 0);
            let time = zone.to_ambiguous_timestamp(civil);
            if matches!(time.offset(), AmbiguousOffset::Gap { .. }) { None } else { time.earlier().ok() }
        })
    }
}

/// The numbers of a field: `*`, `1,2`, `1-5`, `*/15`, `JAN-MAR`.
fn numbers(field: &str, first: u32, last: u32, words: &[&str]) -> Option<Numbers> {
    let number = |text: &str| {
        let word = words.iter().position(|word| word.eq_ignore_ascii_case(text));
        let number = word.and_then(|position| u32::try_from(position).ok()).map(|position| position + first);
        number.or_else(|| text.parse().ok()).filter(|number| (first..=last).contains(number))
    };
    let mut set = 0;
    for part in field.split(',') {
        let (range, step) = part.split_once('/').map_or((part, None), |(range, step)| (range, Some(step)));
        let (from, to) = match range.split_once('-') {
            _ if range == "*" => (first, last),
            Some((from, to)) => (number(from)?, number(to)?),
            None => (number(range)?, if step.is_some() { last } else { number(range)? }),
        };
        let step: usize = step.map_or(Some(1), |step| step.parse().ok()).filter(|step| *step > 0)?;
        set |= (from..=to).step_by(step).fold(0_u64, |set, number| set | 1 << number);
    }
    Some(Numbers(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(cron: &str, zone: &str, after: &str, times: usize) -> Vec<String> {
        let (cron, zone) = (Cron::parse(cron).unwrap(), TimeZone::get(zone).unwrap());
        let mut at: Timestamp = after.parse().unwrap();
        let mut found = Vec::new();
        for _ in 0..times {
            at = cron.next(at, &zone).unwrap();
            found.push(at.to_string().trim_end_matches(":00Z").to_owned());
        }
        found
    }

    #[test]
    fn fields_are_read_as_cron_reads_them() {
        let sets = |text: &str| {
            let cron = Cron::parse(text).unwrap();
            [cron.minutes, cron.hours, cron.days, cron.months, cron.weekdays].map(|set| set.iter().collect::<Vec<_>>())
        };
        let [minutes, hours, days, months, weekdays] = sets("5/20 8-18/5 1,15 JAN-MAR fri-7");
        assert_eq!(minutes, [5, 25, 45]);
        assert_eq!(hours, [8, 13, 18]);
        assert_eq!(days, [1, 15]);
        assert_eq!(months, [1, 2, 3]);
        assert_eq!(weekdays, [0, 5, 6]);
        for wrong in ["", "* * * *", "60 * * * *", "*/0 * * * *", "@every 10m", "x * * * *", "* * * * 8"] {
            assert_eq!(Cron::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn days_of_month_and_week_are_alternatives_only_if_both_are_named() {
        // Friday the 13th of November 2026.
        assert_eq!(
            next("0 3 13 * FRI", "UTC", "2026-11-01T00:00:00Z", 3),
            ["2026-11-06T03:00", "2026-11-13T03:00", "2026-11-20T03:00"]
        );
        assert_eq!(next("0 3 */13 * FRI", "UTC", "2026-11-01T00:00:00Z", 2), ["2026-11-27T03:00", "2027-01-01T03:00"]);
        assert_eq!(next("0 3 29 2 *", "UTC", "2026-11-01T00:00:00Z", 1), ["2028-02-29T03:00"]);
    }

    #[test]
    fn each_local_time_counts_once() {
        // Berlin's clock goes from 02:00 to 03:00 on the 29th of March 2026, and from 03:00 to 02:00 on the 25th of October.
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", 2),
            ["2026-03-28T01:30", "2026-03-30T00:30"]
        );
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30", "2026-10-26T01:30"]
        );
        assert_eq!(
            next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:10:00Z", 3),
            ["2026-10-25T00:30", "2026-10-25T02:00", "2026-10-25T02:30"]
        );
        // A run in the hour that comes again.
        assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-10-25T01:30:05Z", 1), ["2026-10-26T01:30"]);
        assert_eq!(
            next("0 3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2),
            ["2026-03-29T01:00", "2026-03-30T01:00"]
        );
    }

    #[test]
    fn the_last_days_of_months_come_where_months_have_them() {
        assert_eq!(
            next("0 0 31 * *", "UTC", "2026-01-31T00:00:00Z", 3),
            ["2026-03-31T00:00", "2026-05-31T00:00", "2026-07-31T00:00"]
        );
        assert_eq!(
            next("59 23 28-31 * *", "America/New_York", "2026-02-28T00:00:00Z", 2),
            ["2026-03-01T04:59", "2026-03-29T03:59"]
        );
    }
}
