//! Checks whose arguments panic, that do not exist, or that the program runs itself.

use obs_runtime::testing::capture;
use obs_runtime::{
    QualityStatus, Severity, Status, dq_check, health_check, run_dq_checks, run_health_checks, track_data_quality_check,
};

fn unknown() -> u8 {
    panic!("not known")
}

#[health_check(args(answer = unknown()))]
fn database() {}

#[dq_check(args(answer = unknown()))]
fn has_rows() -> bool {
    true
}

#[test]
fn a_check_whose_arguments_panic_has_its_result() {
    let captured = capture(|| (run_health_checks().wait(), run_dq_checks().wait()));
    let (health, quality) = captured.value;
    assert_eq!((health.status, quality.count(QualityStatus::Passed)), (Status::Healthy, 1));
    assert_eq!(captured.records.health, [("database".to_owned(), "healthy".to_owned())]);
    assert_eq!(captured.records.quality, [("has_rows".to_owned(), "passed".to_owned())]);
}

#[test]
fn a_selected_check_that_does_not_exist_runs_nothing_and_is_warned_of() {
    let captured = capture(|| run_dq_checks().only(["has_rows", "has_row"]).wait());
    assert!(captured.value.results.is_empty() && !captured.value.passed());
    let warnings: Vec<_> = captured.records.logs.iter().map(|line| &*line.message).collect();
    assert_eq!(warnings, ["no data-quality check runs: there is no check `has_row`; did you mean `has_rows`?"]);
}

#[test]
fn a_manually_tracked_check_is_counted_without_a_duration() {
    let captured = capture(|| track_data_quality_check("no_nulls", "users", Severity::Warning, true));
    let value = |family| captured.metrics.value(family, &[("check", "no_nulls")]);
    assert_eq!(value("data_quality.check.passed"), Some(1.0));
    assert_eq!(value("data_quality.check.duration.seconds"), None);
}
