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

#[dq_check(dataset = "not finite", fail_above = 1)]
fn infinite() -> f64 {
    f64::INFINITY
}

#[dq_check(dataset = "not finite", fail_above = 1)]
fn not_a_number() -> f64 {
    f64::NAN
}

#[test]
fn a_value_that_is_not_finite_is_kept_as_text() {
    let report = serde_json::to_value(run_dq_checks().dataset("not finite").wait()).unwrap();
    let text = |index: usize| report["results"][index]["value_text"].clone();
    assert_eq!((text(0), text(1)), ("inf".into(), "NaN".into()));
}
