//! A command that another thread, or `std::process::exit`, ends from outside: it ends as cancelled, with the context, the
//! arguments and the tags of its start.
#![cfg(unix)]

use std::os::unix::process::ExitStatusExt as _;

use obs_tests::exposition::Samples;
use obs_tests::logs;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::SentryServer;
use serde_json::{Value, json};

/// The trace that the job runs in.
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

struct Ended {
    finished: Finished,
    lines: Vec<Value>,
    metrics: Samples,
    sentry: SentryServer,
}

fn run(way: &str) -> Ended {
    let (sentry, folder) = (SentryServer::start(), tempfile::tempdir().unwrap());
    let finished = Process::new(env!("CARGO_BIN_EXE_ending"))
        .args(&[way])
        .env("SERVICE_NAME", "ending")
        .env("LOG_FILE", folder.path().join("log"))
        .env("PROMETHEUS_PORT", "0")
        .env("PROMETHEUS_TEXTFILE_DIR", folder.path())
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", sentry.dsn())
        .env("SENTRY_RELEASE", "ending@1.0.0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACEPARENT", format!("00-{TRACE}-b7ad6b7169203331-00"))
        .run();
    let (lines, metrics) = (logs::read(&folder.path().join("log")), Samples::read(&folder.path().join("ending.prom")));
    Ended { finished, lines, metrics, sentry }
}

/// The only line about the command with this outcome; the start line has none.
fn command_line<'l>(lines: &'l [Value], outcome: Option<&str>) -> &'l Value {
    let found: Vec<_> =
        lines.iter().filter(|line| line["call"] == "ending" && line["outcome"].as_str() == outcome).collect();
    let [only] = found[..] else { panic!("{outcome:?}: {lines:#?}") };
    only
}

/// What the start line and every end have in common.
fn identity(line: &Value) -> Vec<(&'static str, Value)> {
    let fields = ["correlation_id", "user", "operation", "trace_id", "span_id", "way", "team", "service", "file"];
    fields.map(|name| (name, line[name].clone())).into()
}

fn assert_same_identity(way: &str, started: &Value, later: &Value) {
    assert_eq!(identity(started), identity(later), "{way}");
    let has_all = identity(later).iter().all(|(_, value)| value.is_string());
    assert!(has_all && later["trace_id"] == TRACE && later["user"] == "ada" && later["way"] == way, "{way}: {later}");
}

#[test]
fn every_end_has_the_fields_of_the_start() {
    for (way, outcome) in [
        ("return", "ok"),
        ("panic", "panic"),
        ("exit", "error"),
        ("thread-exit", "cancelled"),
        ("process-exit", "cancelled"),
        ("thread-process-exit", "cancelled"),
        ("TERM", "cancelled"),
        ("INT", "cancelled"),
        ("timeout", "cancelled"),
        ("drop", "cancelled"),
    ] {
        let ended = run(way);
        let lines = &ended.lines;
        let (started, finished) = (command_line(lines, None), command_line(lines, Some(outcome)));
        assert_same_identity(way, started, finished);
        let failed = [("command", "ending"), ("outcome", outcome), ("team", "growth")];
        let count = ended.metrics.value("cli_command_failure_total", &failed);
        assert_eq!(count, (outcome != "ok").then_some(1.0), "{way}: {:#?}", ended.metrics);
    }
}

#[test]
fn an_exit_from_outside_cancels_the_command_and_closes_its_check_in() {
    for (way, exit_code) in [("thread-exit", 7.0), ("process-exit", -1.0), ("thread-process-exit", -1.0)] {
        let ended = run(way);
        assert_eq!(ended.finished.code(), Some(7), "{way}: {:?}", ended.finished);
        let lines = &ended.lines;
        let finished = command_line(lines, Some("cancelled"));
        assert_eq!(finished["level"], "WARNING", "{way}: {finished}");
        assert!(
            finished["error"].as_str().is_some_and(|said| said.starts_with("the program exited")),
            "{way}: {finished}"
        );
        let last_exit_code = ended.metrics.value("cli_command_last_exit_code", &[("team", "growth")]);
        assert_eq!(last_exit_code, Some(exit_code), "{way}: -1 for a code that is not known");
        let statuses: Vec<_> = ended.sentry.items("check_in").iter().map(|item| item["status"].clone()).collect();
        assert_eq!(statuses, [json!("in_progress"), json!("error")], "{way}");
        let session = ended.sentry.items("session").pop().unwrap();
        assert_eq!(session["status"], "abnormal", "{way}: {session}");
        assert_eq!(ended.sentry.items("event").len(), 0, "{way}: an exit is no error");
    }
}

#[test]
fn a_command_on_a_thread_that_the_program_does_not_wait_for_is_cancelled() {
    let ended = run("detached");
    assert_eq!(ended.finished.code(), Some(0), "{:?}", ended.finished);
    let (started, finished) = (command_line(&ended.lines, None), command_line(&ended.lines, Some("cancelled")));
    assert_eq!(identity(started), identity(finished));
    assert_eq!(finished["error"], "obs was shut down", "{finished}");
    let failed = [("command", "ending"), ("outcome", "cancelled"), ("team", "growth")];
    assert_eq!(ended.metrics.value("cli_command_failure_total", &failed), Some(1.0), "{:#?}", ended.metrics);
    assert_eq!(ended.sentry.items("check_in").last().unwrap()["status"], "error");
}

#[test]
fn what_is_said_of_a_signal_has_the_context_of_the_command() {
    for (way, signal) in [("TERM", 15), ("INT", 2)] {
        let ended = run(way);
        assert_eq!(ended.finished.status.signal(), Some(signal), "{way}: {:?}", ended.finished);
        let lines = &ended.lines;
        let started = command_line(lines, None);
        let warned = |line: &&Value| line["message"].as_str().is_some_and(|text| text.contains("flushing and exiting"));
        let warning = lines.iter().find(warned).unwrap();
        for name in ["correlation_id", "user", "operation", "trace_id"] {
            assert_eq!(warning[name], started[name], "{way}: {name}: {warning}");
        }
        let [event] = &ended.sentry.items("event")[..] else { panic!("{way}: one message is sent") };
        let tags = &event["tags"];
        assert_eq!((&tags["operation"], &tags["command"]), (&json!("ending"), &json!("ending")), "{way}: {event:#}");
        assert_eq!(
            (&tags["correlation_id"], &event["user"]["id"]),
            (&started["correlation_id"], &json!("ada")),
            "{way}"
        );
    }
}

#[test]
fn the_end_by_a_signal_has_the_user_that_the_command_has_set() {
    let ended = run("renamed-TERM");
    let users = [None, Some("cancelled")].map(|outcome| command_line(&ended.lines, outcome)["user"].clone());
    assert_eq!(users, [json!("ada"), json!("grace")]);
}
