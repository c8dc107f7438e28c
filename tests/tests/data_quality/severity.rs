//! The declared severity stays; the status tells the rest.

use obs_runtime::testing::capture;
use obs_runtime::{QualityStatus, Severity, Verdict, dq_check, run_dq_checks};

use super::found;

#[dq_check(dataset = "severity")]
fn warns() -> Verdict {
    Verdict::warned("late")
}

#[dq_check(dataset = "severity", severity = "info")]
fn informs_of_an_error() -> Result<bool, String> {
    Err("no such view".to_owned())
}

#[test]
fn a_warned_check_keeps_its_severity_and_an_errored_info_check_does_not_reject() {
    let captured = capture(|| run_dq_checks().dataset("severity").wait());
    let report = captured.value;
    let warned = found(&report, "warns");
    assert_eq!((warned.status, warned.severity), (QualityStatus::Warned, Severity::Critical));
    let labels = [("check", "warns"), ("severity", "critical")];
    assert_eq!(captured.metrics.value("data_quality.check.status", &labels), Some(0.5));
    assert_eq!(found(&report, "informs_of_an_error").status, QualityStatus::Errored);
    assert!(report.passed(), "{report:?}");
}
