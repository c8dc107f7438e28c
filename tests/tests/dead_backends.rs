//! Promise 7: whatever is wrong with a backend, the job does its work, ends by its own code, and no later than one deadline
//! after it would have ended otherwise.

use std::time::Duration;

use obs_tests::faults::{Fault, FaultyServer, UNKNOWN_HOST};
use obs_tests::process::{Finished, Process};

/// How long a flush may take.
const DEADLINE: Duration = Duration::from_secs(2);

/// How much longer a process may take on a machine that does other things too.
const SLACK: Duration = Duration::from_millis(1900);

fn run(way: &str, url: Option<&str>) -> Finished {
    let process = Process::new(env!("CARGO_BIN_EXE_short-lived"))
        .args(&[way])
        .env("LOG_LEVEL", "WARNING")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "2s");
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
fn every_way_to_be_dead_is_told_and_delays_the_end_by_one_deadline_at_most() {
    let usual = run("return", None).duration;
    for fault in Fault::all() {
        let server = FaultyServer::start(fault.clone());
        let ended = run("return", Some(&server.url("")));
        assert_eq!(ended.code(), Some(0), "{fault:?}: {ended:?}");
        assert!(warnings(&ended) >= 1, "{fault:?}: {ended:?}");
        let limit = usual + SLACK + if fault.lasts() { DEADLINE } else { Duration::ZERO };
        assert!(ended.duration < limit, "{fault:?} took {:?}, without it {usual:?}", ended.duration);
        if fault.lasts() {
            assert!(ended.duration >= DEADLINE, "{fault:?}: the deadline is given to it: {ended:?}");
            assert_eq!(warnings(&ended), 1, "{fault:?}: told once: {ended:?}");
        }
    }
}

#[test]
fn however_the_job_ends_a_server_that_hangs_delays_it_by_one_deadline() {
    let server = FaultyServer::start(Fault::Hang);
    for way in ["error", "panic", "exit", "process-exit", "TERM", "INT"] {
        let usual = run(way, None);
        let ended = run(way, Some(&server.url("")));
        assert_eq!(ended.status, usual.status, "{way}: {ended:?}");
        assert!(
            ended.duration < usual.duration + SLACK + DEADLINE,
            "{way}: {:?}, {:?}",
            ended.duration,
            usual.duration
        );
    }
}

#[test]
fn a_host_that_does_not_resolve_is_told_of() {
    let ended = run("return", Some(&format!("http://{UNKNOWN_HOST}:9091")));
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(warnings(&ended) == 1 && ended.stderr.contains(UNKNOWN_HOST), "{ended:?}");
}
