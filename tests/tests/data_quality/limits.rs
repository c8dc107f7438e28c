//! Thresholds as people write them, thresholds that can never apply, and names of checks.

use std::borrow::Cow;
use std::time::Duration;

use obs_runtime::testing::capture;
use obs_runtime::{Bounds, Measured, QualityCheck, QualityStatus, Severity, dq_check, run_dq_checks};

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

const OLDEST: Duration = Duration::from_hours(6);

#[dq_check(dataset = "many limits", warn_rows = 5, fail_rows = 10)]
fn failing_rows() -> Measured {
    Measured::ratio(7, 205_000)
}

#[dq_check(dataset = "many limits", warn_share = "0.5%", fail_share = "5%")]
fn failing_share() -> Measured {
    Measured::ratio(5, 100)
}

#[dq_check(dataset = "many limits", fail_older_than = OLDEST)]
fn too_old() -> Duration {
    OLDEST + Duration::from_secs(61)
}

#[dq_check(dataset = "many limits", fail_in_future = "5m")]
fn from_the_future() -> Option<i64> {
    Some(-600)
}

#[dq_check(dataset = "many limits", between = 900..=1100)]
fn within() -> u32 {
    1101
}

fn of_yesterday(table: &str) -> Result<Option<Bounds>, String> {
    match table {
        "users" => Ok(Some(Bounds::new().fail_below(900.0))),
        "orders" => Ok(None),
        _ => Err("no history".to_owned()),
    }
}

#[dq_check(for_each = ["users", "orders", "visits"], dataset = "run bounds", fail_below = 100, bounds = of_yesterday)]
async fn like_yesterday(_table: &str) -> u64 {
    850
}

#[test]
fn thresholds_count_rows_shares_and_ages() {
    let report = run_dq_checks().dataset("many limits").wait();
    let found = |name: &str| {
        let result = found(&report, name);
        (result.status, result.why().unwrap())
    };
    let rows = "expected fewer than 5 failing rows, seen 7 of 205000";
    assert_eq!(found("failing_rows"), (QualityStatus::Warned, rows.to_owned()));
    let share = "expected less than 5 % of the rows, seen 0.05 (5 of 100)";
    assert_eq!(found("failing_share"), (QualityStatus::Failed, share.to_owned()));
    assert_eq!(found("too_old").1, "expected not older than 6h, seen 6h 1m 1s");
    assert_eq!(found("from_the_future").1, "expected at most 5m in the future, seen 10m in the future");
    assert_eq!(found("within").1, "expected at most 1100, seen 1101");
}

#[test]
fn a_function_gives_the_bounds_of_a_run_and_the_value_is_kept() {
    let captured = capture(|| run_dq_checks().dataset("run bounds").wait());
    let told = |name: &str| {
        let result = found(&captured.value, name);
        (result.status, result.value, result.why().unwrap_or_default())
    };
    let below = "expected at least 900, seen 850";
    assert_eq!(told("like_yesterday[users]"), (QualityStatus::Failed, Some(850.0), below.to_owned()));
    assert_eq!(told("like_yesterday[orders]"), (QualityStatus::Passed, Some(850.0), String::new()));
    let unknown = "its bounds could not be told: no history";
    assert_eq!(told("like_yesterday[visits]"), (QualityStatus::Errored, None, unknown.to_owned()));
    let value = captured.metrics.value("data_quality.check.value", &[("check", "like_yesterday[users]")]);
    assert_eq!(value, Some(850.0));
    assert!(captured.records.logs.iter().all(|line| !line.message.contains("no threshold")));

    let computed = || Measured::ratio(3, 100).within(Bounds::new().fail_above(0.02));
    let check = QualityCheck::new("computed", computed).dataset("computed bounds").fail_above(0.5).register();
    let report = run_dq_checks().dataset("computed bounds").wait();
    assert_eq!(found(&report, "computed").why().as_deref(), Some("expected at most 0.02, seen 0.03 (3 of 100)"));
    check.unregister();
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
