//! Data-quality checks: return types, blocking checks, and one function for several tables.

mod limits;
mod order;
mod selection;
mod severity;
mod warehouse;

use std::sync::Arc;

use obs_runtime::testing::capture;
use obs_runtime::{
    Measured, QualityCheck, QualityReport, QualityResult, QualityStatus, Severity, Verdict, dq_check,
    register_dq_check, run_dq_checks,
};
use serde_json::json;

#[dq_check(dataset = "measured", fail_above = 0.1)]
fn too_many() -> Measured {
    Measured::ratio(2, 8).with_sample((0..1000).map(|row| format!("ada{row}@example.org")))
}

#[dq_check(dataset = "measured", warn_above = 0.1)]
fn of_none() -> Measured {
    Measured::ratio(0, 0)
}

#[dq_check(dataset = "judged", severity = "warning")]
fn schema() -> Result<Verdict, String> {
    let missing = json!({"missing": ["name"], "token": "hunter2"});
    Ok(Verdict::failed("a column is missing").expected("id, name").seen("id").with_details(&missing))
}

#[dq_check(dataset = "judged")]
fn nearly() -> Verdict {
    Verdict::warned("late")
}

#[dq_check(dataset = "judged")]
fn fine() -> Verdict {
    Verdict::passed()
}

#[dq_check(dataset = "gated", blocking = true)]
fn loaded() -> bool {
    false
}

#[dq_check(dataset = "gated", blocking = true, name = "also blocking")]
fn complete() -> bool {
    true
}

#[dq_check(dataset = "gated")]
fn what_follows() -> bool {
    panic!("it must be skipped")
}

fn tables() -> Result<Vec<String>, String> {
    Ok(vec!["users".to_owned(), "orders".to_owned(), "users".to_owned()])
}

#[dq_check(for_each = tables(), fail_below = 6)]
fn rows(table: &str) -> usize {
    table.len()
}

#[dq_check(for_each = [7_u32, 8], dataset = "shards", fail_above = 1)]
async fn shard(number: u32) -> Result<f64, String> {
    if number == 7 { Ok(0.5) } else { Err("no such shard".to_owned()) }
}

#[dq_check(for_each = Err::<Vec<String>, _>("no connection"), dataset = "nowhere")]
fn unlisted(_table: &str) -> bool {
    true
}

#[dq_check(for_each = Vec::<String>::new())]
fn of_nothing(_table: &str) -> bool {
    true
}

fn run(dataset: &str) -> QualityReport {
    run_dq_checks().dataset(dataset).wait()
}

fn found<'r>(report: &'r QualityReport, name: &str) -> &'r QualityResult {
    report.results.iter().find(|result| result.check == name).unwrap()
}

#[test]
fn a_ratio_is_reported_with_its_counts_and_a_bounded_redacted_sample() {
    let captured = capture(|| run("measured"));
    let result = found(&captured.value, "too_many");
    assert_eq!((result.status, result.value), (QualityStatus::Failed, Some(0.25)));
    assert_eq!((result.count, result.of), (Some(2.0), Some(8)));
    assert_eq!(result.why().as_deref(), Some("expected at most 0.1, seen 0.25 (2 of 8)"));
    assert_eq!(result.sample, ["[REDACTED]"], "equal rows stand once");
    assert_eq!(found(&captured.value, "of_none").status, QualityStatus::NoData);
    let value = |family: &str| captured.metrics.value(family, &[("check", "too_many"), ("severity", "critical")]);
    assert_eq!((value("data_quality.check.value"), value("data_quality.check.status")), (Some(0.25), Some(0.0)));
    assert!(value("data_quality.check.last_run.timestamp.seconds") > Some(1e9));
    let counted = ["executed", "passed", "failed", "errored"].map(|name| value(&format!("data_quality.check.{name}")));
    assert_eq!(counted, [Some(1.0), Some(0.0), Some(1.0), Some(0.0)]);
    assert_eq!(captured.metrics.value("data_quality.check.status", &[("check", "of_none")]), Some(0.0));
}

#[test]
fn a_verdict_is_the_result() {
    let report = run("judged");
    let schema = found(&report, "schema");
    assert_eq!((schema.status, schema.severity), (QualityStatus::Failed, Severity::Warning));
    assert_eq!(schema.why().as_deref(), Some("expected id, name, seen id; a column is missing"));
    let details = schema.details.clone().unwrap();
    assert_eq!(details["missing"], json!(["name"]));
    assert!(!details.to_string().contains("hunter2"), "{details}");
    assert_eq!(found(&report, "nearly").status, QualityStatus::Warned);
    assert_eq!(found(&report, "fine").status, QualityStatus::Passed);
    assert!(report.passed(), "no critical check failed");
}

#[test]
fn a_failed_blocking_check_skips_the_checks_after_it() {
    let captured = capture(|| run("gated"));
    let report = captured.value;
    let skipped = found(&report, "what_follows");
    assert_eq!(skipped.status, QualityStatus::Skipped);
    assert_eq!(skipped.message.as_deref(), Some("skipped, because loaded failed"));
    assert!(!report.passed());
    let error = report.into_result().unwrap_err();
    assert_eq!(error.to_string(), "the data must not be used: loaded failed (expected true, seen false)");
    let executed = |name| captured.metrics.value("data_quality.check.executed", &[("check", name)]);
    assert_eq!([executed("loaded"), executed("what_follows")], [Some(1.0), None]);
}

#[test]
fn for_each_runs_a_check_for_every_item() {
    let captured = capture(|| run_dq_checks().only(["rows", "shard[7]", "shard[8]", "unlisted", "of_nothing"]).wait());
    let names: Vec<_> =
        captured.value.results.iter().map(|result| (&*result.check, &*result.dataset, result.status)).collect();
    let expected = [
        ("of_nothing", "", QualityStatus::NoData),
        ("rows[orders]", "orders", QualityStatus::Passed),
        ("rows[users]", "users", QualityStatus::Failed),
        ("shard[7]", "shards", QualityStatus::Passed),
        ("shard[8]", "shards", QualityStatus::Errored),
        ("unlisted", "nowhere", QualityStatus::Errored),
    ];
    assert_eq!(names, expected);
    let why = found(&captured.value, "unlisted").why();
    assert_eq!(why.as_deref(), Some("its list of items could not be made: no connection"));
    let value = |name| captured.metrics.value("data_quality.check.value", &[("check", name)]);
    assert_eq!([value("rows[orders]"), value("rows[users]")], [Some(6.0), Some(5.0)]);
    let messages: Vec<_> = captured.records.logs.iter().map(|line| &*line.message).collect();
    assert!(messages.iter().any(|line| line.contains("`rows` has the item `users` more than once")), "{messages:?}");
    let why = found(&captured.value, "of_nothing").why();
    assert_eq!(why.as_deref(), Some("expected data, seen none; its list of items is empty"));
}

struct Warehouse {
    rows: u64,
}

impl Warehouse {
    #[dq_check(dataset = "manual", fail_below = 10)]
    fn enough(&self) -> u64 {
        self.rows
    }
}

#[test]
fn methods_and_closures_can_be_registered_and_report_progress() {
    Arc::new(Warehouse { rows: 3 }).enough_dq_check().register();
    QualityCheck::new("ids", || 3).dataset("manual").warn_above(2.0).register();
    register_dq_check("without a dataset", || true);
    let (sender, receiver) = std::sync::mpsc::channel();
    let run = run_dq_checks().dataset("manual").on_result(move |done, all, result| {
        sender.send((done, all, result.check.to_string())).unwrap();
    });
    let report = run.wait();
    let statuses: Vec<_> = report.results.iter().map(|result| (&*result.check, result.status)).collect();
    assert_eq!(statuses, [("enough", QualityStatus::Failed), ("ids", QualityStatus::Warned)]);
    let mut progress: Vec<_> = receiver.iter().collect();
    progress.sort_by_key(|(done, ..)| *done);
    assert_eq!(progress.iter().map(|(done, all, _)| (*done, *all)).collect::<Vec<_>>(), [(1, 2), (2, 2)]);
    let all = run_dq_checks().only(["without a dataset"]).wait();
    assert!(all.passed() && all.results.len() == 1);
}
