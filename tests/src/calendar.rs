//! Tests that depend on the calendar.

use std::time::{SystemTime, UNIX_EPOCH};

/// Runs a test, and runs it again if the month changed meanwhile: a budget of a month then begins anew.
pub fn within_one_month(test: impl Fn()) {
    within_one(month, test);
}

/// Runs a test, and runs it again if the day changed meanwhile.
pub fn within_one_day(test: impl Fn()) {
    within_one(days, test);
}

fn within_one(period: impl Fn() -> u64, test: impl Fn()) {
    loop {
        let begun = period();
        let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(&test));
        if begun == period() {
            return result.unwrap_or_else(|payload| std::panic::resume_unwind(payload));
        }
    }
}

/// Days since 1970 in UTC.
fn days() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).expect("it is after 1970").as_secs() / 86_400
}

/// Months since March of the year 0 in UTC.
fn month() -> u64 {
    month_of(days())
}

/// The same for days since 1970, after <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
fn month_of(days: u64) -> u64 {
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    (era * 400 + year) * 12 + (5 * day_of_year + 2) / 153
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_begin_on_their_first_day() {
        // 1 January 1970, 29 February and 1 March 2024, 30 November and 1 December 2026.
        let [first, february, march, november, december] = [0, 19_782, 19_783, 20_787, 20_788].map(month_of);
        assert_eq!([february, march, november, december].map(|month| month - first), [649, 650, 682, 683]);
        assert_eq!(month_of(30), first);
        assert_eq!(month_of(31), first + 1);
    }
}
