//! What a run selects: names, data sets, items of `for_each`, and what selects nothing.

use std::sync::atomic::{AtomicUsize, Ordering};

use obs_runtime::config::Config;
use obs_runtime::testing::{capture, capture_with};
use obs_runtime::{
    LogContext, Measured, Partition, QualityReport, QualityStatus, correlation_id, dq_check, run_dq_checks,
};

use super::found;

/// A list that cannot be made in the context of one test only.
fn tables_of_a_lost_server() -> Result<[&'static str; 1], String> {
    if correlation_id().as_deref() == Some("no server") { Err("no connection".to_owned()) } else { Ok(["lost_table"]) }
}

#[dq_check(for_each = tables_of_a_lost_server(), fail_below = 1)]
fn lost_rows(_table: &str) -> u64 {
    1
}

/// Fails for these days in the context of one test only.
#[dq_check(dataset = "days", partition = Day)]
fn complete() -> bool {
    let day = Partition::current().map(Partition::start).unwrap_or_default();
    let late = correlation_id().unwrap_or_default();
    !late.split(' ').any(|late| late == day)
}

static LISTS: AtomicUsize = AtomicUsize::new(0);

fn costly_list() -> [&'static str; 2] {
    LISTS.fetch_add(1, Ordering::SeqCst);
    ["a", "b"]
}

#[dq_check(for_each = costly_list(), dataset = "costly")]
fn costly(_shard: &str) -> bool {
    true
}

#[dq_check(dataset = "cheap")]
fn cheap() -> bool {
    true
}

#[dq_check(for_each = Vec::<String>::new(), dataset = "half empty")]
fn of_no_table(_table: &str) -> bool {
    true
}

#[dq_check(dataset = "half empty")]
fn beside_it() -> bool {
    true
}

#[dq_check(dataset = "partition", fail_above = 0.1)]
fn of_no_row() -> Measured {
    Measured::ratio(0, 0)
}

#[test]
fn a_list_that_cannot_be_made_is_an_errored_check_of_every_selection_that_could_hold_it() {
    // A capture has calls of its own: no run of another test makes the list for this one.
    let captured = capture(|| {
        let _context = LogContext::new().correlation_id("no server").enter();
        for run in [
            run_dq_checks().only(["lost_rows"]),
            run_dq_checks().only(["lost_rows[users]"]),
            run_dq_checks().dataset("users"),
            run_dq_checks().dataset("cheap"),
        ] {
            let report = run.wait();
            let lost = report.results.iter().find(|result| result.check == "lost_rows");
            assert_eq!(lost.map(|lost| lost.status), Some(QualityStatus::Errored), "{report:?}");
            assert!(!report.passed(), "{report:?}");
        }
        assert!(run_dq_checks().only(["cheap"]).wait().passed(), "it cannot hold a check of another name");
    });
    drop(captured);
}

#[test]
fn a_selection_of_nothing_does_not_pass() {
    for (run, nearest) in [
        (run_dq_checks().dataset("cheep"), "cheap"),
        (run_dq_checks().only(["cheap", "chaep"]), "cheap"),
        (run_dq_checks().only(["shard[9]"]), "shard["),
        (run_dq_checks().only(["cheap"]).dataset("costly"), "cheap"),
    ] {
        let report = run.wait();
        assert!(!report.passed(), "{report:?}");
        let error = report.into_result().unwrap_err().to_string();
        assert!(error.contains(nearest), "{error}");
    }
}

#[test]
fn an_empty_name_selects_nothing() {
    // As an unset variable of a shell gives it.
    for (run, what) in [
        (run_dq_checks().only([""]), "check"),
        (run_dq_checks().exclude([""]), "check"),
        (run_dq_checks().dataset(""), "data set"),
        (run_dq_checks().owner(""), "owner"),
        (run_dq_checks().tag(""), "tag"),
    ] {
        let report = run.wait();
        assert_eq!(report.problems, [format!("an empty text names no {what}")]);
        assert!(!report.passed() && report.results.is_empty());
    }
}

#[test]
fn a_run_that_excludes_every_check_does_not_pass() {
    let report = run_dq_checks().exclude(["*"]).wait();
    assert_eq!(report.problems, ["every check is excluded by `*`"]);
    assert!(!report.passed());
}

#[test]
fn a_list_without_items_is_a_check_without_data() {
    let report = run_dq_checks().dataset("half empty").wait();
    let found: Vec<_> = report.results.iter().map(|result| (&*result.check, result.status.as_str())).collect();
    assert_eq!(found, [("beside_it", "passed"), ("of_no_table", "no_data")]);
    assert!(!report.passed());
}

#[dq_check(dataset = "partition", fail_above = 0.1, allow_no_data = true)]
fn of_no_row_is_fine() -> Measured {
    Measured::ratio(0, 0)
}

#[dq_check(dataset = "partition", fail_above = 0.1, require_rows = 9)]
fn of_too_few_rows() -> Measured {
    Measured::ratio(0, 8)
}

#[dq_check(dataset = "partition", fail_above = 0.1)]
fn of_no_value() -> Option<f64> {
    None
}

#[test]
fn rows_can_be_required_and_their_lack_be_allowed() {
    let report = run_dq_checks().dataset("partition").wait();
    let status = |name: &str| found(&report, name).status.as_str();
    assert_eq!([status("of_no_row_is_fine"), status("of_no_value")], ["passed", "no_data"]);
    let few = found(&report, "of_too_few_rows").why();
    assert_eq!(few.as_deref(), Some("expected at least 9 rows, seen 8"));
}

#[test]
fn none_of_no_rows_is_no_data() {
    let report = run_dq_checks().dataset("partition").wait();
    let none = found(&report, "of_no_row");
    assert_eq!((none.status.as_str(), none.value), ("no_data", None));
    assert!(!report.passed());
}

#[test]
fn a_list_that_the_selection_cannot_hold_is_not_made() {
    assert!(run_dq_checks().dataset("cheap").wait().passed());
    assert!(run_dq_checks().only(["cheap"]).wait().passed());
    assert_eq!(LISTS.load(Ordering::SeqCst), 0);
}

#[dq_check(for_each = [("accounts", "ann-7731"), ("accounts", "bob-9912")], fail_above = 0)]
fn logins((_table, password): (&'static str, &'static str)) -> Result<u8, String> {
    Ok(u8::from(password.starts_with("bob")))
}

#[dq_check(for_each = ["ann-7731", "ann-7731"], fail_above = 0)]
fn of_token(_api_key: &str) -> u8 {
    0
}

#[test]
fn items_are_shown_by_the_names_of_the_arguments() {
    let captured = capture(|| {
        [
            run_dq_checks().only(["logins", "of_token"]).wait(),
            run_dq_checks().only(["logins[accounts.bob-9912]"]).wait(),
            run_dq_checks().only(["logins[accounts.bob-9913]"]).wait(),
        ]
    });
    let [both, one, none] = &captured.value;
    let names =
        |report: &QualityReport| report.results.iter().map(|result| result.check.to_string()).collect::<Vec<_>>();
    let login = "logins[accounts.[REDACTED]]";
    assert_eq!(names(both), [login, login, "of_token[[REDACTED]]"]);
    assert_eq!(names(one), [login]);
    assert_eq!(one.results[0].status, QualityStatus::Failed);
    assert!(none.problems[0].starts_with("there is no check `logins[accounts.bob-9913]`"), "{none:?}");
    let all = format!("{both:?} {one:?} {:?}", captured.records.logs) + &serde_json::to_string(both).unwrap();
    let all = all
        + &format!("{:?}", captured.metrics)
        + &captured.value[2].problems[0].replace("`logins[accounts.bob-9913]`", "");
    assert!(!all.contains("ann-7731") && !all.contains("bob-9912"), "{all}");
}

#[test]
fn a_list_of_no_names_selects_nothing() {
    let report = run_dq_checks().only(Vec::<String>::new()).wait();
    assert_eq!((report.passed(), &*report.problems), (false, &["there is nothing to check".to_owned()][..]));
}

fn ran(report: &QualityReport) -> Vec<(String, QualityStatus)> {
    report.results.iter().map(|result| (result.title().into_owned(), result.status)).collect()
}

/// In a capture with a folder for state.
fn with_state(run: impl FnOnce()) {
    let folder = tempfile::tempdir().unwrap();
    let config = Config::default().with(|config| config.state_dir = Some(folder.path().to_owned()));
    capture_with(config, run);
}

#[test]
fn a_partition_that_failed_last_runs_again_and_not_another_one() {
    with_state(|| {
        let days = || run_dq_checks().dataset("days");
        let failed = |late: &'static str| {
            let context = LogContext::new().correlation_id(late);
            context.scope(|| ran(&days().failed_last().wait()))
        };
        let of_day = |day: &str, status| (format!("complete {day}"), status);
        LogContext::new().correlation_id("2024-02-03 2024-02-05").scope(|| {
            assert_eq!(days().partition("2024-02").wait().results.len(), 29);
        });
        // The day that is due by now says nothing of them.
        assert!(days().wait().passed());
        let both = [of_day("2024-02-03", QualityStatus::Passed), of_day("2024-02-05", QualityStatus::Failed)];
        assert_eq!(failed("2024-02-05"), both);
        assert_eq!(ran(&days().failed_last().partition("2024-02-04").wait()), []);
        let left = days().failed_last().partition("2024-02").wait();
        assert_eq!(ran(&left), [of_day("2024-02-05", QualityStatus::Passed)]);
        let none = days().failed_last().wait();
        assert_eq!(none.problems, ["no check is of the data set `days` and did not pass when it ran last"]);
    });
}

#[test]
fn a_list_that_could_not_be_made_last_is_checked_again() {
    with_state(|| {
        let failed_last = || run_dq_checks().only(["lost_rows"]).failed_last().wait();
        LogContext::new()
            .correlation_id("no server")
            .scope(|| assert!(!run_dq_checks().only(["lost_rows"]).wait().passed()));
        assert_eq!(ran(&failed_last()), [("lost_rows[lost_table]".to_owned(), QualityStatus::Passed)]);
        assert_eq!(ran(&failed_last()), []);
    });
}
