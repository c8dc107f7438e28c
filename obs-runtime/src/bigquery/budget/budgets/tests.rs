use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::*;
use crate::bigquery::budget::resolved::{period, since};
use crate::bigquery::budget::sqlite::SqliteBudgets;
use crate::bigquery::budget::store::BudgetUse;
use crate::config::budgets::BudgetPeriod;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn share(id: &str, nanos: u64) -> BudgetShare {
    BudgetShare {
        id: id.into(),
        budget: "b".into(),
        period: "p".into(),
        since: SystemTime::UNIX_EPOCH,
        nanos,
        job: None,
    }
}

const fn amounts(spent_nanos: u64, estimated_nanos: u64, held_nanos: u64) -> BudgetUse {
    BudgetUse { spent_nanos, estimated_nanos, held_nanos }
}

#[test]
fn a_day_begins_in_its_time_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let late = at("2026-12-31T23:30:00Z");
    assert_eq!(period(BudgetPeriod::Day, late, &TimeZone::UTC), "2026-12-31");
    assert_eq!(period(BudgetPeriod::Day, late, &berlin), "2027-01-01");
    assert_eq!(period(BudgetPeriod::Month, late, &berlin), "2027-01");
    assert_eq!(period(BudgetPeriod::Week, late, &berlin), "2026-W53");
    assert_eq!(period(BudgetPeriod::Week, at("2026-11-29T00:00:00Z"), &TimeZone::UTC), "2026-W48");
    assert_eq!(period(BudgetPeriod::Week, at("2026-11-30T00:00:00Z"), &TimeZone::UTC), "2026-W49");
}

#[test]
fn a_period_begins_at_midnight_in_its_time_zone() {
    let berlin = TimeZone::get("Europe/Berlin").unwrap();
    let begin = |period, now, zone: &TimeZone| since(period, at(now), zone).unwrap().to_string();
    assert_eq!(begin(BudgetPeriod::Day, "2026-12-31T23:30:00Z", &TimeZone::UTC), "2026-12-31T00:00:00Z");
    assert_eq!(begin(BudgetPeriod::Day, "2026-12-31T23:30:00Z", &berlin), "2026-12-31T23:00:00Z");
    // The clocks change on the 25th of October.
    assert_eq!(begin(BudgetPeriod::Month, "2026-10-31T12:00:00Z", &berlin), "2026-09-30T22:00:00Z");
    assert_eq!(begin(BudgetPeriod::Week, "2026-11-29T23:59:59Z", &TimeZone::UTC), "2026-11-23T00:00:00Z");
    assert_eq!(begin(BudgetPeriod::Week, "2026-11-30T00:00:00Z", &TimeZone::UTC), "2026-11-30T00:00:00Z");
}

#[test]
fn what_is_held_counts_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteBudgets::new(folder.path().join("deep/er/budgets.sqlite3"));
    let hour = Duration::from_hours(1);
    assert_eq!(store.hold(&share("1", 60), 100, hour).unwrap().nanos(), 0);
    // A refused amount is not held.
    assert_eq!(store.hold(&share("2", 41), 100, hour).unwrap().nanos(), 60);
    assert_eq!(store.hold(&share("3", 40), 100, hour).unwrap().nanos(), 60);
    store.settle(&share("1", 60), 5).unwrap();
    assert_eq!(store.used("b", SystemTime::UNIX_EPOCH).unwrap(), amounts(5, 0, 40));
    assert_eq!(store.used("c", SystemTime::UNIX_EPOCH).unwrap(), BudgetUse::default());
    // What is held is held in every period.
    let later = SystemTime::now().checked_add(hour).unwrap();
    assert_eq!(store.used("b", later).unwrap(), amounts(0, 0, 40));
    // A new connection to the same file reads the same state.
    let again = SqliteBudgets::new(folder.path().join("deep/er/budgets.sqlite3"));
    assert_eq!(again.used("b", SystemTime::UNIX_EPOCH).unwrap().nanos(), 45);
}

#[test]
fn an_amount_whose_lease_ends_counts_as_spent_until_it_is_renewed_or_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteBudgets::new(folder.path().join("budgets.sqlite3"));
    let used = || store.used("b", SystemTime::UNIX_EPOCH).unwrap();
    store.hold(&share("killed", 60), 200, Duration::ZERO).unwrap();
    store.hold(&share("slow", 70), 200, Duration::ZERO).unwrap();
    assert_eq!(used(), amounts(130, 130, 0));
    assert_eq!(store.hold(&share("next", 71), 200, Duration::ZERO).unwrap().nanos(), 130);
    assert_eq!(used().spent_nanos, 130, "it was refused");
    store.renew(&share("slow", 70), Duration::from_hours(1)).unwrap();
    assert_eq!(used(), amounts(60, 60, 70));
    store.settle(&share("killed", 60), 5).unwrap();
    assert_eq!(used(), amounts(5, 0, 70));
    let later = SystemTime::now().checked_add(Duration::from_hours(1)).unwrap();
    assert_eq!(store.used("b", later).unwrap(), amounts(0, 0, 70));
}

#[cfg(feature = "testing")]
#[test]
fn an_amount_whose_lease_has_ended_is_said_once() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteBudgets::new(folder.path().join("budgets.sqlite3"));
    store.hold(&share("killed", 6_250_000_000), u64::MAX, Duration::ZERO).unwrap();
    let captured = crate::testing::capture(|| {
        for id in ["first", "second"] {
            store.hold(&share(id, 1), u64::MAX, Duration::from_hours(1)).unwrap();
        }
    });
    let said: Vec<_> = captured.records.logs.iter().map(|line| &*line.message).collect();
    assert_eq!(
        said,
        [
            "a query did not say what it cost of the budget `b` before its lease ended: its estimate of $6.250000 counts as spent"
        ]
    );
}

#[test]
fn a_file_that_is_none_of_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("budgets.sqlite3");
    std::fs::write(&file, "this is no database, though it is long enough to look like one at first sight".repeat(90))
        .unwrap();
    let error = SqliteBudgets::new(&file).used("b", SystemTime::UNIX_EPOCH).unwrap_err().to_string();
    assert!(error.contains("budgets.sqlite3") && error.contains("not a database"), "{error}");
}
