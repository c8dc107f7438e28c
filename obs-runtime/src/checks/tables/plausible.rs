//! Whether the latest time of a column can be one.

use jiff::SignedDuration;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

const DAY: f64 = 86_400.0;

/// Why the latest time of a column, in seconds since 1970, is more likely something else: it lies more than a day in the
/// future, or in the year 1970, where small numbers lie that are no seconds. `None` if it is plausible.
pub fn objection(latest: f64, now: f64) -> Option<String> {
    /// Units of numbers that count from 1970.
    const UNITS: [(f64, &str); 3] = [(1e3, "milliseconds"), (1e6, "microseconds"), (1e9, "nanoseconds")];
    let is_recent = |seconds: f64| (946_684_800.0..=now + DAY).contains(&seconds);
    let recent = |seconds: f64| Some(seconds).filter(|seconds| is_recent(*seconds)).and_then(time);
    if latest > now + DAY {
        let of_unit =
            |(units, name): (f64, &str)| recent(latest / units).map(|time| format!("{name} since 1970 ({time})"));
        return Some(match UNITS.into_iter().find_map(of_unit) {
            Some(guess) => format!("more than a day in the future as seconds since 1970; it looks like {guess}"),
            None if time(latest).is_some_and(|time| time.starts_with("9999-")) => {
                "more than a day in the future; it looks like the open end of a validity".to_owned()
            }
            None => "more than a day in the future".to_owned(),
        });
    }
    if !(0.0..366.0 * DAY).contains(&latest) {
        return None;
    }
    let guess = recent(latest * DAY)
        .map(|time| format!("; it looks like days since 1970 ({})", time.split('T').next().unwrap_or_default()))
        .or_else(|| {
            date(latest).filter(|date| is_recent(*date)).and_then(time).map(|time| {
                format!("; it looks like a date written as a number ({})", time.split('T').next().unwrap_or_default())
            })
        })
        .or_else(|| (1990.0..=2200.0).contains(&latest).then(|| "; it looks like a year".to_owned()));
    Some(format!("in the year 1970 as seconds since 1970{}", guess.unwrap_or_default()))
}

/// Seconds since 1970 as RFC 3339; `None` beyond the year 9999.
pub fn time(seconds: f64) -> Option<String> {
    // A `Timestamp` ends a day before the year 9999 does.
    const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let time = EPOCH.checked_add(SignedDuration::try_from_secs_f64(seconds.floor()).ok()?).ok()?;
    Some(format!("{time}Z"))
}

/// Seconds from 1970 to the day of a number such as 20261129.
fn date(number: f64) -> Option<f64> {
    #[expect(clippy::cast_possible_truncation, reason = "saturates, and what is out of range is no date")]
    let number = number as i32;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let date = Date::new(i16::try_from(year).ok()?, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
    let midnight = TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_duration().as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 29 November 2026, 12:00 UTC.
    const NOW: f64 = 1_795_953_600.0;

    #[test]
    fn times_of_today_of_past_years_and_of_other_zones_are_plausible() {
        for latest in [NOW, NOW + 86_000.0, NOW - 1e9, 0.0 - 1e9, 366.0 * DAY, 946_684_800.0, -6e10] {
            assert_eq!(objection(latest, NOW), None, "{latest}");
        }
    }

    #[test]
    fn what_else_a_number_looks_like_is_named() {
        for (latest, expected) in [
            (NOW * 1e3, "milliseconds since 1970 (2026-11-29T12:00:00Z)"),
            (NOW * 1e6, "microseconds since 1970 (2026-11-29T12:00:00Z)"),
            (NOW * 1e9, "nanoseconds since 1970 (2026-11-29T12:00:00Z)"),
            (253_402_300_799.999_98, "the open end of a validity"),
            (20_786.0, "days since 1970 (2026-11-29)"),
            (20_261_129.0, "a date written as a number (2026-11-29)"),
            (2026.0, "a year"),
        ] {
            let objection = objection(latest, NOW).unwrap_or_default();
            assert!(objection.ends_with(&format!("it looks like {expected}")), "{latest}: {objection}");
        }
        assert_eq!(objection(NOW + 90_000.0, NOW).as_deref(), Some("more than a day in the future"));
        assert_eq!(objection(f64::INFINITY, NOW).as_deref(), Some("more than a day in the future"));
        assert_eq!(objection(0.0, NOW).as_deref(), Some("in the year 1970 as seconds since 1970"));
    }
}
