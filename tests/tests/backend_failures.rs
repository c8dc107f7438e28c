//! Promise 7: a job whose backend fails does its work, ends with its own exit code, and ends one flush deadline later at
//! most.

use std::time::Duration;

use obs_tests::faults::{Fault, FaultyServer, UNKNOWN_HOST};
use obs_tests::process::{Finished, Process};

/// The flush deadline. It is long enough that a busy machine is not mistaken for a wait.
const DEADLINE: Duration = Duration::from_secs(10);

fn run(way: &str, url: Option<&str>) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-lived"))
        .args(&[way])
        .env("LOG_LEVEL", "WARNING")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "10s");
    match url {
        Some(url) => process.env("PROMETHEUS_PUSHGATEWAY_URL", url),
        None => process,
    }
    .run()
}

fn warnings(ended: &Finished) -> usize {
    ended.stderr.matches("failed to flush exporter pushgateway").count()
}

#[test]
fn a_failing_backend_is_warned_of_and_delays_the_exit_by_one_deadline_at_most() {
    let run_with = |fault: Fault| {
        let server = FaultyServer::start(fault.clone());
        let ended = run("return", Some(&server.url("")));
        assert_eq!(ended.code(), Some(0), "{fault:?}: {ended:?}");
        assert!(warnings(&ended) >= 1, "{fault:?}: {ended:?}");
        let named = format!("failed to flush exporter pushgateway: PROMETHEUS_PUSHGATEWAY_URL {}", server.url(""));
        assert_eq!(ended.stderr.matches(named.trim_end_matches('/')).count(), warnings(&ended), "{fault:?}: {ended:?}");
        if fault.hangs() {
            assert!((DEADLINE..2 * DEADLINE).contains(&ended.duration), "{fault:?} took {:?}", ended.duration);
            assert_eq!(warnings(&ended), 1, "{fault:?}: {ended:?}");
        } else {
            assert!(ended.duration < DEADLINE, "{fault:?} took {:?}", ended.duration);
        }
    };
    std::thread::scope(|scope| {
        for fault in Fault::all().into_iter().chain([Fault::web_page()]) {
            scope.spawn(move || run_with(fault));
        }
    });
}

#[test]
fn a_hanging_server_delays_every_exit_path_by_one_deadline() {
    let server = FaultyServer::start(Fault::Hang);
    let run_both = |way: &str| {
        let expected = run(way, None).status;
        let ended = run(way, Some(&server.url("")));
        assert_eq!(ended.status, expected, "{way}: {ended:?}");
        assert!((DEADLINE..2 * DEADLINE).contains(&ended.duration), "{way} took {:?}", ended.duration);
    };
    std::thread::scope(|scope| {
        for way in ["error", "panic", "exit", "process-exit", "TERM", "INT"] {
            scope.spawn(move || run_both(way));
        }
    });
}

#[test]
fn the_warning_for_a_host_that_does_not_resolve_names_it() {
    let ended = run("return", Some(&format!("http://{UNKNOWN_HOST}:9091")));
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(warnings(&ended) == 1 && ended.stderr.contains(UNKNOWN_HOST), "{ended:?}");
}
