use super::*;
use crate::bigquery::budget::store::BudgetUse;

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn share(id: &str, nanos: u64) -> BudgetShare {
    BudgetShare { id: id.into(), budget: "b".into(), period: "p".into(), nanos }
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
fn what_is_held_counts_until_it_is_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteBudgets::new(folder.path().join("deep/er/budgets.sqlite3"));
    let hour = Duration::from_hours(1);
    assert_eq!(store.hold(&share("1", 60), 100, hour).unwrap().nanos(), 0);
    // A refused amount is not held.
    assert_eq!(store.hold(&share("2", 41), 100, hour).unwrap().nanos(), 60);
    assert_eq!(store.hold(&share("3", 40), 100, hour).unwrap().nanos(), 60);
    store.settle(&share("1", 60), 5).unwrap();
    assert_eq!(store.used("b", "p").unwrap(), BudgetUse { spent_nanos: 5, held_nanos: 40 });
    assert_eq!(store.used("b", "q").unwrap(), BudgetUse::default());
    // A new connection to the same file reads the same state.
    let again = SqliteBudgets::new(folder.path().join("deep/er/budgets.sqlite3"));
    assert_eq!(again.used("b", "p").unwrap().nanos(), 45);
}

#[test]
fn a_lease_ends_unless_it_is_renewed_and_is_settled_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteBudgets::new(folder.path().join("budgets.sqlite3"));
    store.hold(&share("crashed", 60), 100, Duration::ZERO).unwrap();
    store.hold(&share("slow", 70), 100, Duration::ZERO).unwrap();
    assert_eq!(store.used("b", "p").unwrap(), BudgetUse::default());
    store.renew(&share("slow", 70), Duration::from_hours(1)).unwrap();
    assert_eq!(store.used("b", "p").unwrap().held_nanos, 70);
    store.settle(&share("crashed", 60), 60).unwrap();
    assert_eq!(store.used("b", "p").unwrap(), BudgetUse { spent_nanos: 60, held_nanos: 70 });
}

#[test]
fn a_file_that_is_none_of_ours_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("budgets.sqlite3");
    std::fs::write(&file, "this is no database, though it is long enough to look like one at first sight".repeat(90))
        .unwrap();
    let error = SqliteBudgets::new(&file).used("b", "p").unwrap_err().to_string();
    assert!(error.contains("budgets.sqlite3") && error.contains("not a database"), "{error}");
}
