//! Checks of a part of the data: a day, an hour or a month.

use std::sync::{LazyLock, Mutex};

use obs_runtime::tables::{SqliteTable, TableError, null_ratio, row_count};
use obs_runtime::testing::capture;
use obs_runtime::{Measured, Partition, QualityCheck, QualityReport, QualityStatus, dq_check, run_dq_checks};

use super::{database, now};

/// Four rows on each day of November 2026, of which one has no amount on the 3rd and all on the 4th; one row at the end of the 3rd.
const VISITS: &str = "
CREATE TABLE visits AS WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 119)
    SELECT i AS id, datetime('2026-11-01', (i / 4) || ' days', (i % 4 * 6) || ' hours') AS seen, 1.0 AS amount FROM n;
UPDATE visits SET amount = NULL WHERE seen LIKE '2026-11-04%' OR seen = '2026-11-03 00:00:00';
INSERT INTO visits VALUES (999, '2026-11-03 23:59:59', 1);";

fn visits() -> SqliteTable {
    static VISITED: LazyLock<SqliteTable> = LazyLock::new(|| database("visits", VISITS));
    VISITED.clone()
}

#[dq_check(dataset = "visits", partition = Day, fail_above = 0.5)]
async fn amounts() -> Result<Measured, TableError> {
    null_ratio(&visits(), "amount").in_partition("seen").measure().await
}

#[dq_check(dataset = "visits", partition = Hour, fail_below = 1, severity = "warning")]
async fn each_hour() -> Result<Measured, TableError> {
    row_count(&visits()).in_partition("seen").measure().await
}

#[dq_check(dataset = "visits", partition = Month, for_each = ["visits"], fail_below = 1)]
async fn each_month(name: &str) -> Result<Measured, TableError> {
    assert_eq!(name, "visits");
    row_count(&visits()).in_partition("seen").measure().await
}

#[dq_check(dataset = "visits", fail_below = 1)]
async fn whole() -> Result<Measured, TableError> {
    row_count(&visits()).measure().await
}

#[dq_check(dataset = "all visits", fail_below = 1)]
async fn of_all_days() -> Result<Measured, TableError> {
    row_count(&visits()).measure().await
}

/// Check, partition and status of each result.
fn of(report: &QualityReport) -> Vec<(&str, Option<&str>, QualityStatus)> {
    report.results.iter().map(|result| (&*result.check, result.partition.as_deref(), result.status)).collect()
}

#[test]
fn a_run_is_about_the_partition_that_it_names() {
    let captured = capture(|| run_dq_checks().only(["amounts"]).partition("2026-11-03").wait());
    let result = &captured.value.results[0];
    assert_eq!((result.value, result.of, result.partition.as_deref()), (Some(0.2), Some(5), Some("2026-11-03")));
    assert_eq!((&*result.check, &*result.title()), ("amounts", "amounts 2026-11-03"));
    assert_eq!(serde_json::to_value(&captured.value).unwrap()["results"][0]["partition"], "2026-11-03");
    // It is no label, so that a day makes no series.
    let labels = [("check", "amounts"), ("dataset", "visits"), ("severity", "critical")];
    assert_eq!(captured.metrics.value("data_quality.check.passed", &labels), Some(1.0));
    assert!(!format!("{:?}", captured.metrics).contains("2026-11-03"));

    let all = run_dq_checks().dataset("visits").partition("2026-11-04").wait();
    let found = of(&all);
    assert_eq!(found[0], ("amounts", Some("2026-11-04"), QualityStatus::Failed));
    assert_eq!(found[1], ("each_hour", Some("2026-11-04T00"), QualityStatus::Passed));
    assert_eq!(found[2], ("each_hour", Some("2026-11-04T01"), QualityStatus::Failed));
    assert_eq!(found[25], ("each_month[visits]", Some("2026-11"), QualityStatus::Passed));
    assert_eq!((found[26], found.len()), (("whole", None, QualityStatus::Passed), 27));
    let month = run_dq_checks().only(["amounts"]).partition("2026-11").wait();
    assert_eq!((month.results.len(), month.count(QualityStatus::Failed)), (30, 1));
    // A day without rows.
    let none = run_dq_checks().only(["amounts"]).partition("2026-12-24").wait();
    assert_eq!(none.results[0].status, QualityStatus::NoData);
}

#[test]
fn open_lineage_names_the_partitions_that_were_read() {
    let report = run_dq_checks().only(["amounts"]).partition("2026-11").wait();
    let event = report.openlineage();
    let facets = &event["inputs"][0]["inputFacets"];
    let assertions = facets["dataQualityAssertions"]["assertions"].as_array().unwrap();
    assert_eq!(assertions.len(), 30);
    for (index, assertion) in assertions.iter().enumerate() {
        let day = format!("2026-11-{:02}", index + 1);
        assert_eq!((&assertion["name"], &assertion["params"]["partition"]), (&"amounts".into(), &day.clone().into()));
        assert_eq!(assertion["success"], day != "2026-11-04");
        let partition = &facets["subset"]["inputCondition"]["partitions"][index];
        assert_eq!((&partition["identifier"], &partition["dimensions"]["day"]), (&day.clone().into(), &day.into()));
    }
    assert_eq!(facets["subset"]["inputCondition"]["type"], "partition");
    // One of another check has read all of it, so that no subset tells what was read.
    let both = run_dq_checks().only(["amounts", "of_all_days"]).partition("2026-11-04").wait().openlineage();
    let facets = &both["inputs"][0]["inputFacets"];
    assert!(facets.get("subset").is_none(), "{both}");
    let of = |name: &str| {
        let all = facets["dataQualityAssertions"]["assertions"].as_array().unwrap();
        all.iter().find(|assertion| assertion["name"] == name).unwrap().clone()
    };
    assert_eq!(of("amounts")["params"]["partition"], "2026-11-04");
    assert!(of("of_all_days").get("params").is_none());
}

#[test]
fn the_last_partition_that_has_ended_is_the_default() {
    static SEEN: Mutex<Vec<Option<Partition>>> = Mutex::new(Vec::new());
    let check = QualityCheck::new("of_a_day", || {
        SEEN.lock().unwrap().push(Partition::current());
        true
    });
    let registered = check.partition(obs_runtime::PartitionUnit::Day).register();
    let today = jiff::Timestamp::now().to_string().split('T').next().unwrap().to_owned();
    let report = run_dq_checks().only(["of_a_day"]).wait();
    let partition = report.results[0].partition.clone().unwrap();
    assert!(partition < today, "{partition} {today}");
    let since = run_dq_checks().only(["of_a_day"]).since(&*partition).wait();
    assert!((1..=2).contains(&since.results.len()), "midnight may have passed: {since:?}");
    let seen = SEEN.lock().unwrap();
    assert_eq!(seen[0].map(|partition| partition.to_string()), Some(partition));
    assert_eq!(Partition::current(), None);
    registered.unregister();
}

#[test]
fn a_text_that_is_no_partition_and_checks_without_any_are_refused() {
    let problem = |run: obs_runtime::QualityRun| {
        let report = run.wait();
        assert!(report.results.is_empty() && !report.passed(), "{report:?}");
        report.problems.join(", ")
    };
    let run = || run_dq_checks().only(["amounts"]);
    assert!(problem(run().partition("yesterday")).starts_with("`yesterday` is no partition: a day as 2026-11-28"));
    assert_eq!(problem(run().since("2999-01-01")), "no day has ended since `2999-01-01`");
    // The month of today has not ended, but each hour since yesterday has.
    let captured = capture(|| {
        let yesterday = jiff::Timestamp::now().checked_sub(jiff::Span::new().hours(25)).unwrap().to_string();
        run_dq_checks().only(["each_hour", "each_month", "whole"]).since(&yesterday[..10]).wait()
    });
    let found = of(&captured.value);
    let months = found.iter().filter(|(check, ..)| *check == "each_month[visits]").count();
    assert!(found.len() > 24 && found.last().is_some_and(|last| last.0 == "whole"), "{found:?}");
    let said = captured.records.logs.iter().filter(|line| line.message.contains("no month has ended since `")).count();
    assert_eq!(months + said, 1, "it runs, or it is said that it does not: {found:?}");
    let whole = run_dq_checks().only(["whole"]).partition("2026-11-03");
    assert_eq!(problem(whole), "none of the checks has partitions");
    let error = now(amounts()).unwrap_err();
    assert!(error.to_string().contains("no partition outside of a run"), "{error}");
}

#[test]
fn a_blocking_check_stops_its_own_partition() {
    let bad = || Partition::current().is_none_or(|partition| partition.to_string() != "2026-11-02");
    let day = obs_runtime::PartitionUnit::Day;
    let registered = [
        QualityCheck::new("first", bad).dataset("gated").partition(day).blocking(true).register(),
        QualityCheck::new("second", || true).dataset("gated").partition(day).register(),
        QualityCheck::new("third", || true).dataset("gated").partition(day).after(&["second"]).register(),
    ];
    let report = run_dq_checks().dataset("gated").partition("2026-11").wait();
    let skipped: Vec<_> = of(&report).into_iter().filter(|(_, _, status)| *status == QualityStatus::Skipped).collect();
    let day = Some("2026-11-02");
    assert_eq!(skipped, [("second", day, QualityStatus::Skipped), ("third", day, QualityStatus::Skipped)]);
    assert_eq!((report.results.len(), report.count(QualityStatus::Failed)), (90, 1));
    registered.into_iter().for_each(obs_runtime::Registration::unregister);
}
