//! `#[health_check]` and `#[dq_check]`: registration, isolation and judgement.

use std::time::Duration;

use obs_runtime::testing::capture;
use obs_runtime::{
    Health, HealthCheck, QualityStatus, Severity, Status, dq_check, health_check, run_dq_checks, run_health_checks,
    track_performance,
};
use obs_tests::{exclusive, wait};

#[health_check]
fn database() {}

#[health_check(critical = false, timeout = "50ms")]
fn hangs() -> bool {
    loop {
        std::thread::park();
    }
}

#[health_check(critical = false)]
async fn cache() -> Result<Health, std::io::Error> {
    tokio::time::sleep(Duration::from_millis(1)).await;
    Ok(Health::degraded("cold"))
}

#[health_check(critical = false)]
fn panics() -> Result<(), String> {
    panic!("no such thing")
}

mod elsewhere {
    use super::*;

    #[health_check(name = "queue", critical = false)]
    fn check() -> Result<(), String> {
        Err("postgres://ada:hunter2@db/queue does not answer".to_owned())
    }
}

#[dq_check(dataset = "users", column = "id", owner = "data", severity = "critical", fail_above = 0)]
fn null_ids() -> Result<i64, String> {
    Ok(3)
}

#[dq_check(dataset = "users", warn_above = 0.1, fail_above = 0.5)]
#[track_performance]
fn null_ratio() -> f64 {
    0.2
}

#[dq_check(severity = "info")]
async fn has_rows() -> bool {
    true
}

#[dq_check(severity = "warning", timeout = "2s", fail_above = 0)]
fn no_such_table() -> Result<u64, std::fmt::Error> {
    Err(std::fmt::Error)
}

#[test]
fn health_checks_are_isolated_and_the_worst_critical_one_decides() {
    let _exclusive = exclusive::lock();
    let captured = capture(|| run_health_checks().wait());
    let report = captured.value;
    assert_eq!(report.status, Status::Degraded);
    let found: Vec<_> = report.checks.iter().map(|check| (&*check.name, check.status)).collect();
    let expected = [
        ("cache", Status::Degraded),
        ("database", Status::Healthy),
        ("hangs", Status::Unhealthy),
        ("panics", Status::Unhealthy),
        ("queue", Status::Unhealthy),
    ];
    assert_eq!(found, expected);
    let message = |name: &str| report.checks.iter().find(|check| check.name == name).unwrap().message.clone().unwrap();
    assert_eq!(message("hangs"), "no answer within 50ms");
    assert!(message("panics").starts_with("panicked: no such thing at "), "{}", message("panics"));
    assert!(
        message("queue").contains("does not answer") && !message("queue").contains("hunter2"),
        "{}",
        message("queue")
    );
    assert_eq!(captured.metrics.value("health_check.status", &[("check", "cache")]), Some(0.5));
    assert_eq!(captured.metrics.value("health_check.duration.seconds", &[("check", "database")]), Some(1.0));
    assert_eq!(captured.records.health.len(), 5);
}

#[test]
fn a_run_has_a_timeout_of_its_own() {
    // No other test may run the check that hangs.
    let _exclusive = exclusive::lock();
    let registered = HealthCheck::new("stuck", hangs).groups(&["stuck"]).timeout(Duration::from_hours(1)).register();
    let run = || run_health_checks().group("stuck").timeout(Duration::from_millis(200)).wait();
    let report = wait::for_thread("a run with a timeout of its own", run);
    registered.unregister();
    assert_eq!(report.status, Status::Unhealthy);
    assert_eq!(report.checks[0].message.as_deref(), Some("no answer within 200ms"));
}

#[test]
fn data_quality_is_judged_by_value_and_an_error_is_not_a_failure() {
    let captured = capture(|| run_dq_checks().wait());
    let report = captured.value;
    let found: Vec<_> = report.results.iter().map(|result| (&*result.check, result.status, result.severity)).collect();
    let expected = [
        ("has_rows", QualityStatus::Passed, Severity::Info),
        ("no_such_table", QualityStatus::Errored, Severity::Warning),
        ("null_ids", QualityStatus::Failed, Severity::Critical),
        ("null_ratio", QualityStatus::Warned, Severity::Critical),
    ];
    assert_eq!(found, expected);
    assert!(!report.passed());
    let null_ids = &report.results[2];
    assert_eq!((null_ids.value, null_ids.expected.as_deref()), (Some(3.0), Some("at most 0")));
    assert_eq!(null_ids.seen.as_deref(), Some("3"));
    assert_eq!((null_ids.column, null_ids.owner), ("id", "data"));

    let value = |family, labels: &[_]| captured.metrics.value(family, labels);
    let labels = [("check", "null_ids"), ("dataset", "users"), ("severity", "critical")];
    assert_eq!(value("data_quality.check.executed", &labels), Some(1.0));
    assert_eq!(value("data_quality.check.failed", &labels), Some(1.0));
    assert_eq!(value("data_quality.check.errored", &[("check", "no_such_table")]), Some(1.0));
    assert_eq!(value("data_quality.check.passed", &[("check", "has_rows")]), Some(1.0));
    assert_eq!(value("data_quality.check.value", &[("check", "null_ratio")]), Some(0.2));
    assert_eq!(value("data_quality.check.duration.seconds", &[("check", "null_ids")]), Some(1.0));
    assert_eq!(captured.records.calls[0].name, "null_ratio", "a check may have other attributes");
}

#[test]
fn checks_can_be_selected_by_name() {
    let report = run_dq_checks().only(["has_rows"]).wait();
    assert!(report.passed() && report.results.len() == 1);
}

#[test]
fn a_check_is_still_a_function() {
    assert_eq!(null_ids(), Ok(3));
}
