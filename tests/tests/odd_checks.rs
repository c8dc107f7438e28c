//! Checks whose description panics, that are not there, or that are carried out by hand.

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
fn a_check_whose_description_panics_has_its_result_all_the_same() {
    let captured = capture(|| (run_health_checks().wait(), run_dq_checks().wait()));
    let (health, quality) = captured.value;
    assert_eq!((health.status, quality.count(QualityStatus::Passed)), (Status::Healthy, 1));
    assert_eq!(captured.records.health, [("database".to_owned(), "healthy".to_owned())]);
    assert_eq!(captured.records.quality, [("has_rows".to_owned(), "passed".to_owned())]);
}

#[test]
fn a_check_that_is_asked_for_and_not_there_is_warned_of() {
    let captured = capture(|| run_dq_checks().only(["has_rows", "has_row"]).wait());
    assert_eq!(captured.value.results.len(), 1);
    let warnings: Vec<_> = captured.records.logs.iter().map(|line| &*line.message).collect();
    assert_eq!(warnings, ["there is no data-quality check `has_row`"]);
}

#[test]
fn a_check_by_hand_is_counted_and_no_duration_is_made_up() {
    let captured = capture(|| track_data_quality_check("no_nulls", "users", Severity::Warning, true));
    let value = |family| captured.metrics.value(family, &[("check", "no_nulls")]);
    assert_eq!(value("data_quality.check.passed"), Some(1.0));
    assert_eq!(value("data_quality.check.duration.seconds"), None);
}
