//! What a failed blocking check stops, and which runs share a call.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc;

use obs_runtime::{QualityCheck, QualityStatus, dq_check, run_dq_checks};

use super::found;

#[dq_check(dataset = "raw", blocking = true)]
fn raw_is_loaded() -> bool {
    false
}

#[dq_check(dataset = "raw")]
fn raw_rows() -> bool {
    true
}

#[dq_check(dataset = "elsewhere")]
fn rows_elsewhere() -> bool {
    true
}

#[dq_check(dataset = "report", after("raw_is_loaded"))]
fn report_rows() -> bool {
    true
}

#[dq_check(dataset = "report", after("report_rows"))]
fn report_sums() -> bool {
    true
}

#[dq_check(dataset = "report", after("raw_rows"))]
fn after_what_does_not_run() -> bool {
    true
}

#[dq_check(dataset = "loop", after("second"))]
fn first() -> bool {
    true
}

#[dq_check(dataset = "loop", after("first"))]
fn second() -> bool {
    true
}

#[dq_check(for_each = ["eu", "us"], blocking = true)]
fn is_loaded(region: &str) -> bool {
    region == "us"
}

#[dq_check(for_each = ["eu", "us"], fail_below = 1)]
fn region_rows(_region: &str) -> u8 {
    1
}

#[test]
fn a_blocking_item_stops_its_data_set_alone() {
    let report = run_dq_checks().dataset("eu").dataset("us").wait();
    assert_eq!(found(&report, "region_rows[eu]").status, QualityStatus::Skipped);
    assert_eq!(found(&report, "region_rows[us]").status, QualityStatus::Passed);
}

#[test]
fn what_comes_after_a_check_that_rejects_or_was_skipped_is_skipped() {
    let report = run_dq_checks().only(["raw_is_loaded"]).only(["report_rows", "report_sums"]).wait();
    let why = |name: &str| found(&report, name).message.clone();
    assert_eq!(why("report_rows").as_deref(), Some("skipped, because raw_is_loaded failed"));
    assert_eq!(why("report_sums").as_deref(), Some("skipped, because report_rows skipped"));
    assert!(run_dq_checks().only(["after_what_does_not_run"]).wait().passed());
}

#[test]
fn checks_that_wait_for_each_other_are_errored() {
    let report = run_dq_checks().dataset("loop").wait();
    for name in ["first", "second"] {
        assert_eq!(found(&report, name).status, QualityStatus::Errored, "{report:?}");
    }
}

#[test]
fn a_blocking_check_stops_its_data_set_alone() {
    let report = run_dq_checks().dataset("raw").dataset("elsewhere").wait();
    assert_eq!(found(&report, "raw_rows").status, QualityStatus::Skipped);
    assert_eq!(found(&report, "rows_elsewhere").status, QualityStatus::Passed);
}

#[test]
fn a_run_that_begins_after_a_commit_does_not_get_what_was_read_before_it() {
    static COMMITTED: AtomicU64 = AtomicU64::new(1);
    let (reads, has_read) = mpsc::channel();
    let (go_on, may_end) = mpsc::channel::<()>();
    let may_end = Mutex::new(may_end);
    let check = QualityCheck::new("committed", move || {
        let value = COMMITTED.load(Ordering::SeqCst);
        reads.send(value).unwrap();
        if value == 1 {
            let _ = may_end.lock().unwrap().recv();
        }
        value
    });
    check.dataset("commits").fail_above(9.0).register();
    let run = || run_dq_checks().only(["committed"]).wait().results[0].value;
    std::thread::scope(|scope| {
        let before = scope.spawn(run);
        assert_eq!(has_read.recv().unwrap(), 1);
        COMMITTED.store(2, Ordering::SeqCst);
        let after = scope.spawn(run);
        // The call of the first run may end at any time from here on.
        std::thread::yield_now();
        drop(go_on);
        assert_eq!((before.join().unwrap(), after.join().unwrap()), (Some(1.0), Some(2.0)));
    });
}
