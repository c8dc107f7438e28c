//! What a server could not take is kept in the state folder, and sent by the next run.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use obs_tests::faults::{Fault, FaultyServer};
use obs_tests::process::{Finished, Process};
use obs_tests::servers::SentryServer;
use serde_json::Value;

fn run(address: SocketAddr, state: Option<&Path>) -> Finished {
    let job = Process::new(env!("CARGO_BIN_EXE_errors-job")).args(&["error"]).env("PROMETHEUS_PORT", "0");
    let job = job.env("SENTRY_ENABLED", "true").env("SENTRY_TRACES_SAMPLE_RATE", "0").env("LOG_LEVEL", "WARNING");
    let job = job.env("SENTRY_DSN", format!("http://0123456789abcdef0123456789abcdef@{address}/42"));
    let job = if let Some(state) = state { job.env("OBS_STATE_DIR", state) } else { job };
    let ended = job.env("OBS_FLUSH_TIMEOUT", "4s").run();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    ended
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["event_id"].to_string()).collect()
}

#[test]
fn events_of_an_outage_arrive_once_with_the_next_run() {
    let check = |fault: Fault| {
        let state = tempfile::tempdir().unwrap();
        let server = FaultyServer::start(fault.clone());
        let address = server.address();
        let ended = run(address, Some(state.path()));
        assert!(ended.duration < Duration::from_secs(20), "{fault:?}: {ended:?}");
        let kept = files(state.path());
        let said: String = kept.iter().map(|path| std::fs::read_to_string(path).unwrap()).collect();
        for message in ["row 9 is bad", "the feed of 2026-11-26 is empty", "asked to fail"] {
            assert!(said.contains(message), "{fault:?}: {message} is not in {kept:?}: {ended:?}");
        }
        assert!(!said.contains("check_in_id"), "{said}");
        drop(server);
        let server = SentryServer::at(address);
        run(address, Some(state.path()));
        let events = server.items("event");
        assert_eq!((events.len(), ids(&events).len()), (6, 6), "{fault:?}: three of each run");
        assert_eq!(files(state.path()), Vec::<PathBuf>::new(), "{fault:?}");
        run(address, Some(state.path()));
        let events = server.items("event");
        assert_eq!((events.len(), ids(&events).len()), (9, 9), "{fault:?}");
    };
    std::thread::scope(|scope| {
        for fault in [Fault::Refuse, Fault::Hang, Fault::internal_error(), Fault::Close] {
            scope.spawn(move || check(fault));
        }
    });
}

#[test]
fn what_a_server_rejects_is_not_kept_and_nothing_is_without_a_state_folder() {
    let home = tempfile::tempdir().unwrap();
    let server = FaultyServer::start(Fault::Answer(401, Vec::new(), "{}".to_owned()));
    run(server.address(), Some(home.path()));
    assert_eq!(files(home.path()), Vec::<PathBuf>::new());
    let server = FaultyServer::start(Fault::Refuse);
    let ended = run(server.address(), None);
    assert!(!ended.stderr.contains("kept"), "{ended:?}");
}
