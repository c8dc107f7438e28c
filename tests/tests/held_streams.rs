//! A check that hangs while it holds the locks of standard output and standard error stops no other check, no log line and
//! no result.

use obs_tests::process::{Finished, Process};
use obs_tests::{logs, programs};
use serde_json::Value;

/// What a check logs, and what the program logs after its checks.
const LOGGED: [&str; 3] = ["said while they are held", "publish started", "publish finished: ok"];

fn run(process: Process, code: i32) -> Finished {
    let finished = process.env("LOG_LEVEL", "info").run();
    assert_eq!(finished.code(), Some(code), "{finished:#?}");
    finished
}

fn holder(arguments: &[&str], code: i32) -> Finished {
    run(Process::new(programs::program("stream-holder")).args(arguments), code)
}

/// Asserts that each of these was logged once. Between the lines there is only the message of a panic.
fn assert_logged(finished: &Finished, messages: &[&str]) {
    let logged = logs::parse_json_lines(&finished.stderr);
    for wanted in messages.iter().chain(&LOGGED) {
        let says = |line: &&Value| line["message"].as_str().is_some_and(|message| message.starts_with(wanted));
        assert_eq!(logged.iter().filter(says).count(), 1, "{wanted}: {finished:#?}");
    }
}

/// The printed results: the name of each check with its message, or its status.
fn results(finished: &Finished, list: &str, name: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:#?}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().split(" at ").next().unwrap_or_default().to_owned();
    let results = report[list].as_array().unwrap().iter();
    results.map(|result| (text(&result[name]), text(result.get("message").unwrap_or(&result["status"])))).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, said)| (name.to_owned(), said.to_owned())).into()
}

#[test]
fn health_checks_are_reported() {
    let finished = holder(&["health", "--group", "held", "--format", "json"], 2);
    let expected =
        [("holds", "no answer within 500ms"), ("panics", "panicked: as the test wants it"), ("speaks", "healthy")];
    assert_eq!(results(&finished, "checks", "name"), pairs(expected));
    assert_logged(&finished, &["health check holds: unhealthy: no answer", "health check panics: unhealthy: panicked"]);
}

#[test]
fn data_quality_checks_are_reported() {
    let finished = holder(&["dq", "run", "--format", "json"], 1);
    let expected = [("fails", "failed"), ("holds_too", "no answer within 500ms")];
    assert_eq!(results(&finished, "results", "check"), pairs(expected));
    assert_logged(&finished, &["check fails failed", "check holds_too errored: no answer"]);
}

/// The program on a terminal of its own.
#[cfg(target_os = "linux")]
fn on_a_terminal(arguments: &str) -> Process {
    Process::on_a_terminal(&format!("exec '{}' {arguments}", programs::program("stream-holder").display()))
}

/// A progress bar is drawn there while checks run.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_gets_its_table() {
    let finished = run(on_a_terminal("dq run"), 1);
    let (drawn, rest) = finished.stdout.split_once("\u{1b}[1mcheck\u{1b}[0m").expect("a table comes");
    assert!(drawn.contains(" 1/2 ") && rest.contains("no answer within 500ms"), "{finished:#?}");
}

/// The check that hangs is not started again.
#[test]
#[cfg(target_os = "linux")]
fn watched_health_checks_go_on() {
    let running = on_a_terminal("health --watch 200ms --group held").start();
    running.wait_for_outputs("a second screen", |output| {
        let screens: Vec<_> = output.split("\u{1b}[2J").collect();
        let shows = |screen: usize, text| screens.get(screen).is_some_and(|shown: &&str| shown.contains(text));
        shows(1, "no answer within 500ms") && shows(2, "an earlier call has been running")
    });
}
