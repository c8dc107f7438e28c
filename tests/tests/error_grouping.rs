//! Which events are one issue in Sentry: one bug has one fingerprint, two bugs have two.
#![cfg(unix)]

use std::io;
use std::time::Duration;

use obs_runtime::{Observability, Secret, capture_message, with_error_tracking};
use obs_tests::servers::SentryServer;
use serde_json::Value;

#[derive(Debug)]
struct BadRow(u32);

impl std::fmt::Display for BadRow {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "row {} is bad", self.0)
    }
}

impl std::error::Error for BadRow {}

mod users {
    #[obs_runtime::with_error_tracking]
    pub fn sync() -> Result<(), super::BadRow> {
        Err(super::BadRow(1))
    }
}

mod orders {
    #[obs_runtime::with_error_tracking]
    pub fn sync() -> Result<(), super::BadRow> {
        Err(super::BadRow(1))
    }
}

#[with_error_tracking]
fn typed(row: u32) -> anyhow::Result<()> {
    Err(BadRow(row).into())
}

#[with_error_tracking]
fn untyped(words: String) -> anyhow::Result<()> {
    anyhow::bail!(words)
}

#[with_error_tracking]
fn text(words: &str) -> Result<(), String> {
    Err(words.to_owned())
}

#[with_error_tracking]
fn system(code: i32) -> io::Result<()> {
    Err(io::Error::from_raw_os_error(code))
}

fn panics(row: u32) {
    assert!(row == 0, "no row {row}");
    panic!("no rows");
}

#[with_error_tracking]
fn panics_here(row: u32) {
    panics(row);
}

#[with_error_tracking]
fn panics_there(row: u32) {
    panics(row);
}

type Pair = (&'static str, fn(), fn(), bool);

fn ignore<T>(_: T) {}

fn warn(message: &'static str) {
    capture_message(obs_runtime::Level::Warning, message);
}

const PAIRS: [Pair; 12] = [
    ("two functions with one name", || ignore(users::sync()), || ignore(orders::sync()), false),
    ("one error of two rows", || ignore(typed(7)), || ignore(typed(8)), true),
    ("two messages", || ignore(untyped("no disk".into())), || ignore(untyped("no memory".into())), false),
    ("two ids", || ignore(untyped("no job a1".into())), || ignore(untyped("no job b2".into())), true),
    ("two quoted names", || ignore(text("no table 'users'")), || ignore(text("no table 'orders'")), true),
    ("two texts", || ignore(text("no table")), || ignore(text("no column")), false),
    ("two system errors", || ignore(system(2)), || ignore(system(5)), false),
    ("one system error", || ignore(system(2)), || ignore(system(2)), true),
    ("one panic of two rows", || panics_here(1), || panics_here(2), true),
    ("one panic in two operations", || panics_here(1), || panics_there(1), true),
    ("two panics of one function", || panics_here(1), || panics_here(0), false),
    ("one message with two numbers", || warn("feed 1 is empty"), || warn("feed 2 is empty"), true),
];

#[test]
fn one_bug_is_one_issue_and_two_bugs_are_two() {
    let server = SentryServer::start();
    let guard = Observability::builder()
        .without_environment()
        .prometheus_port(0)
        .sentry_enabled(true)
        .sentry_dsn(Secret::new(server.dsn()))
        .flush_timeout(Duration::from_secs(30))
        .log_level(obs_runtime::Level::Critical)
        .init()
        .unwrap();
    let mut sent = 0;
    let mut event = |run: fn()| {
        // In a thread of its own, so that no two errors are taken for one.
        let _ = std::thread::spawn(run).join();
        sent += 1;
        let mut events = server.wait_for("event", sent);
        assert_eq!(events.len(), sent);
        events.pop().unwrap()
    };
    for (pair, first, second, is_one) in PAIRS {
        let (first, second) = (event(first), event(second));
        let fingerprints: [&Value; 2] = [&first["fingerprint"], &second["fingerprint"]];
        assert_eq!(fingerprints[0] == fingerprints[1], is_one, "{pair}: {fingerprints:?}");
        for fingerprint in fingerprints {
            let text = fingerprint.to_string();
            assert!(!text.contains(env!("CARGO_MANIFEST_DIR")) && text.len() > 4, "{pair}: {text}");
        }
        if pair.contains("panic") {
            assert_eq!((&first["level"], &second["level"]), (&"fatal".into(), &"fatal".into()), "{pair}");
        }
    }
    drop(guard);
}
