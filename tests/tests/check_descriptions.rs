//! Checks whose description panics, and checks that are not there.

use obs_runtime::testing::capture;
use obs_runtime::{QualityStatus, Status, dq_check, health_check, run_dq_checks, run_health_checks};

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
