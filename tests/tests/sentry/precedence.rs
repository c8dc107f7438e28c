//! What matters most arrives first, and what is left out is counted and reported.

use std::time::Duration;

use obs_tests::process::{Finished, Process};
use obs_tests::servers::SentryServer;
use serde_json::Value;

use super::reporting_to;

/// Errors of rows, and the error that ends the job.
const ERRORS: u64 = 10 * 20 + 1;

fn run(server: &SentryServer, timeout: &str) -> Finished {
    let job = reporting_to(server, Process::new(env!("CARGO_BIN_EXE_row-errors")));
    let ended = job.env("OBS_FLUSH_TIMEOUT", timeout).run();
    assert!(ended.stdout.contains("failed true"), "{ended:?}");
    ended
}

/// What the job has dropped, by reason.
fn dropped(ended: &Finished) -> Value {
    let json = ended.stdout.lines().find_map(|line| line.strip_prefix("dropped "));
    serde_json::from_str(json.unwrap_or_else(|| panic!("{ended:?}"))).unwrap()
}

/// What the client has reported as discarded of this category.
fn reported(server: &SentryServer, category: &str) -> u64 {
    let reports = server.items("client_report");
    let items = reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap());
    items.filter(|item| item["category"] == category).map(|item| item["quantity"].as_u64().unwrap()).sum()
}

fn assert_complete_and_counted(server: &SentryServer, ended: &Finished) -> u64 {
    let check_ins = server.items("check_in");
    assert_eq!(check_ins.len(), 2, "{check_ins:?}");
    assert_eq!(check_ins[1]["status"], "error");
    let sessions = server.items("session");
    assert_eq!((sessions.len(), &sessions[1]["status"]), (2, &"exited".into()), "{sessions:?}");
    let events = server.items("event");
    let is_last = |event: &&Value| event["exception"]["values"][0]["value"] == "the load has failed";
    assert_eq!(events.iter().filter(is_last).count(), 1, "the error that ended the job");
    let dropped: u64 = dropped(ended).as_object().unwrap().values().map(|number| number.as_u64().unwrap()).sum();
    assert_eq!(events.len() as u64 + dropped, ERRORS, "sent and dropped");
    assert_eq!(reported(server, "error"), dropped, "the server is told of what was dropped");
    dropped
}

#[test]
fn a_server_that_is_quick_enough_gets_everything() {
    let server = SentryServer::start();
    assert_eq!(assert_complete_and_counted(&server, &run(&server, "60s")), 0);
}

/// Errors of rows that came before the closing check-in: those that were sent while the job ran.
fn assert_end_comes_first(server: &SentryServer) {
    let kinds = server.kinds();
    let last = kinds.iter().rposition(|kind| kind == "check_in").unwrap();
    let errors_before = kinds[..last].iter().filter(|kind| *kind == "event").count();
    assert!(errors_before < 100, "{errors_before} errors came before the closing check-in");
}

#[test]
fn the_end_of_a_job_arrives_before_its_errors_at_a_slow_server() {
    let server = SentryServer::slow(Duration::from_secs(1));
    let left_out = assert_complete_and_counted(&server, &run(&server, "5s"));
    assert!(left_out > 50, "{left_out} of {ERRORS}");
    assert_end_comes_first(&server);
}

/// How many runs there are at each server, and how many of them at once.
const RUNS: usize = 20;
const AT_ONCE: usize = 10;

#[test]
fn the_end_of_every_run_arrives_and_every_error_is_sent_or_counted() {
    for millis in [0, 120, 300] {
        for _ in 0..RUNS / AT_ONCE {
            let one = || {
                let server = SentryServer::slow(Duration::from_millis(millis));
                assert_complete_and_counted(&server, &run(&server, "5s"));
                if millis > 0 {
                    assert_end_comes_first(&server);
                }
            };
            std::thread::scope(|scope| (0..AT_ONCE).for_each(|_| drop(scope.spawn(one))));
        }
    }
}
