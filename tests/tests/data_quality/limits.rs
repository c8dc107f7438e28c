//! Thresholds as people write them, thresholds that can never apply, and names of checks.

use std::borrow::Cow;

use obs_runtime::testing::capture;
use obs_runtime::{Measured, QualityCheck, QualityStatus, Severity, dq_check, run_dq_checks};

use super::found;

const MOST: u32 = 3;

#[dq_check(dataset = "limits", fail_above = MOST)]
fn above_a_constant() -> u32 {
    4
}

#[dq_check(dataset = "limits", warn_above = "1%", fail_above = "5%")]
fn above_a_percentage() -> Measured {
    Measured::ratio(6, 100)
}

#[dq_check(dataset = "limits", fail_above = "6h")]
fn older_than_a_duration() -> Option<f64> {
    Some(21_601.0)
}

#[dq_check(for_each = [("invoices", "id", 0), ("invoices", "customer", 2)], fail_above = 1)]
fn nulls_of((_table, _column, nulls): (&'static str, &'static str, u8)) -> u8 {
    nulls
}

#[dq_check(dataset = "twins of the north", name = "twin")]
fn northern_twin() -> bool {
    true
}

#[dq_check(dataset = "twins of the south", name = "twin")]
fn southern_twin() -> bool {
    true
}

#[test]
fn thresholds_are_constants_percentages_and_durations() {
    let report = run_dq_checks().dataset("limits").wait();
    let why = |name: &str| found(&report, name).why().unwrap();
    assert_eq!(why("above_a_constant"), "expected at most 3, seen 4");
    assert_eq!(why("above_a_percentage"), "expected at most 0.05, seen 0.06 (6 of 100)");
    assert_eq!(why("older_than_a_duration"), "expected at most 21600, seen 21601");
}

#[test]
fn an_item_may_be_a_tuple_whose_first_part_is_the_data_set() {
    let report = run_dq_checks().dataset("invoices").wait();
    let found: Vec<_> = report.results.iter().map(|result| (&*result.check, result.status)).collect();
    let expected =
        [("nulls_of[invoices.customer.2]", QualityStatus::Failed), ("nulls_of[invoices.id.0]", QualityStatus::Passed)];
    assert_eq!(found, expected);
}

#[test]
fn a_name_is_unique_in_its_data_set() {
    let problems = || obs_runtime::catalogue().problems.into_iter().filter(|problem| problem.contains("twin")).count();
    assert_eq!(problems(), 0);
    assert_eq!(run_dq_checks().only(["twin"]).wait().results.len(), 2);
    let third = QualityCheck::new("twin", || true).dataset("twins of the north").register();
    assert_eq!(problems(), 1);
    third.unregister();
}

#[test]
fn a_data_set_may_be_known_at_run_time_only() {
    let check = QualityCheck::new("orders of the tenant", || true).dataset(Cow::from(format!("tenant {}", 7)));
    let registered = check.register();
    assert!(run_dq_checks().dataset("tenant 7").wait().passed());
    registered.unregister();
}

#[test]
fn what_can_never_apply_is_warned_of_once() {
    let idle = |name: &'static str, check: QualityCheck| (name, check.dataset("idle").register());
    let registered = [
        idle("percent", QualityCheck::new("percent", || Measured::ratio(1, 4)).fail_above(10.0)),
        idle("negative", QualityCheck::new("negative", || Measured::ratio(1, 4)).fail_below(0.0)),
        idle("unjudged", QualityCheck::new("unjudged", || 7)),
        idle("weak", QualityCheck::new("weak", || true).severity(Severity::Warning).blocking(true)),
        idle("judged", QualityCheck::new("judged", || Measured::ratio(1, 4)).fail_above(0.5)),
        idle("informs", QualityCheck::new("informs", || 7).severity(Severity::Info)),
    ];
    let captured = capture(|| {
        run_dq_checks().dataset("idle").wait();
        run_dq_checks().dataset("idle").wait();
    });
    let lines = captured
        .records
        .logs
        .iter()
        .map(|line| &*line.message)
        .filter(|line| line.contains("never applies") || line.contains("no threshold"));
    let warned: Vec<_> = lines.map(|line| line.split('`').nth(1).unwrap()).collect();
    for name in ["percent", "negative", "unjudged", "weak"] {
        assert_eq!(warned.iter().filter(|warned| **warned == name).count(), 1, "{name}: {warned:?}");
    }
    assert_eq!(warned.len(), 4, "{warned:?}");
    for (_, registered) in registered {
        registered.unregister();
    }
}
