//! Results of checks as `JUnit` XML, for continuous integration.

use std::time::Duration;

use quick_junit::{NonSuccessKind, Property, Report, TestCase, TestCaseStatus, TestSuite};

use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::status::Status;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::status::QualityStatus;
use crate::program::cli::output::json;

/// Degraded and unhealthy checks are failures.
pub fn health(report: &HealthReport) -> String {
    document("health", report.checks.iter().map(of_health))
}

fn of_health(check: &HealthResult) -> TestCase {
    let message = check.message.as_deref().unwrap_or_default();
    let status = match check.status {
        Status::Healthy => TestCaseStatus::success(),
        Status::Degraded | Status::Unhealthy => failure(NonSuccessKind::Failure, check.status.as_str(), message),
        Status::Unknown | Status::Skipped => skipped(message),
    };
    case(&check.name, "health", check.duration_seconds, status)
}

/// A check fails here if it makes `dq run` fail. One that warned, or failed, errored or had no data with a severity that does
/// not, has passed, with what was found in its output.
pub fn quality(report: &QualityReport) -> String {
    document("data quality", report.results.iter().map(of_quality))
}

fn of_quality(result: &QualityResult) -> TestCase {
    let why = result.why().unwrap_or_default();
    let rejects = result.rejects();
    let status = match result.status {
        QualityStatus::Skipped => skipped(&why),
        QualityStatus::Errored if rejects => failure(NonSuccessKind::Error, "errored", &why),
        _ if rejects => failure(NonSuccessKind::Failure, result.severity.as_str(), &why),
        _ => TestCaseStatus::success(),
    };
    let class = if result.dataset.is_empty() { "data quality" } else { &result.dataset };
    let mut case = case(&result.title(), class, result.duration_seconds, status);
    properties(&mut case, result);
    let is_told = rejects || matches!(result.status, QualityStatus::Passed | QualityStatus::Skipped);
    let output = if is_told { String::new() } else { format!("{} ({}): {why}\n", result.status, result.severity) };
    let output = result.sample.iter().fold(output, |output, row| output + row + "\n");
    if !output.is_empty() {
        case.set_system_out(output);
    }
    case
}

/// What a report shows beside a test: the settings of the check, and what it has measured.
fn properties(case: &mut TestCase, result: &QualityResult) {
    let number = |number: Option<f64>| number.map(|number| number.to_string()).unwrap_or_default();
    let table = result.table.as_ref().map(|table| format!("{}/{}", table.namespace, table.name));
    let keys = if result.keys.is_empty() { String::new() } else { json(&result.keys, false) };
    let all = [
        ("severity", result.severity.to_string()),
        ("status", result.status.to_string()),
        ("dataset", result.dataset.to_string()),
        ("column", result.column.to_owned()),
        ("partition", result.partition.clone().unwrap_or_default()),
        ("table", table.unwrap_or_default()),
        ("owner", result.owner.to_owned()),
        ("runbook", result.runbook.to_owned()),
        ("value", number(result.value)),
        ("count", number(result.count)),
        ("of", result.of.map(|of| of.to_string()).unwrap_or_default()),
        ("keys", keys),
    ];
    for (name, value) in all.into_iter().filter(|(_, value)| !value.is_empty()) {
        case.add_property(Property::new(name, value));
    }
}

fn failure(kind: NonSuccessKind, of: &str, message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::non_success(kind);
    status.set_type(of).set_message(message);
    status
}

fn skipped(message: &str) -> TestCaseStatus {
    let mut status = TestCaseStatus::skipped();
    status.set_message(message);
    status
}

fn case(name: &str, class: &str, seconds: f64, status: TestCaseStatus) -> TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(class).set_time(Duration::try_from_secs_f64(seconds).unwrap_or_default());
    case
}

fn document(name: &str, cases: impl Iterator<Item = TestCase>) -> String {
    let mut suite = TestSuite::new(name);
    suite.add_test_cases(cases);
    let mut report = Report::new("obs");
    report.add_test_suite(suite);
    // Writing to memory does not fail.
    report.to_string().unwrap_or_default()
}
