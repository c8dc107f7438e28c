//! A check that hangs with the locks of standard output and standard error in its hands keeps nobody else from anything.

use std::time::Duration;

use obs_tests::process::{Finished, Process};
use obs_tests::programs;
use serde_json::Value;

/// Well above all that these runs do, and less than a check's time limit when it says none.
const SOON: Duration = Duration::from_secs(4);

/// What a check says through `tracing`, and what the program says after its checks.
const SAID: [&str; 3] = ["said while they are held", "publish started", "publish finished: ok"];

fn run(process: Process, code: i32) -> Finished {
    let finished = process.env("LOG_LEVEL", "info").run();
    assert!(finished.duration < SOON && finished.code() == Some(code), "{finished:#?}");
    finished
}

fn holder(arguments: &[&str], code: i32) -> Finished {
    run(Process::new(programs::program("stream-holder")).args(arguments), code)
}

/// Whether each of these was logged once. No line is broken; only a panic's own words stand beside them.
fn assert_logged(finished: &Finished, messages: &[&str]) {
    let lines = finished.stderr.lines().filter(|line| line.starts_with('{'));
    let lines = lines.map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {finished:#?}")));
    let logged: Vec<Value> = lines.collect();
    for wanted in messages.iter().chain(&SAID) {
        let says = |line: &&Value| line["message"].as_str().is_some_and(|message| message.starts_with(wanted));
        assert_eq!(logged.iter().filter(says).count(), 1, "{wanted}: {finished:#?}");
    }
}

/// The results that were printed: of each check its name and what it says, or its status.
fn told(finished: &Finished, list: &str, name: &str) -> Vec<(String, String)> {
    let report: Value = serde_json::from_str(&finished.stdout).unwrap_or_else(|error| panic!("{error}: {finished:#?}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().split(" at ").next().unwrap_or_default().to_owned();
    let results = report[list].as_array().unwrap().iter();
    results.map(|result| (text(&result[name]), text(result.get("message").unwrap_or(&result["status"])))).collect()
}

fn pairs<const N: usize>(pairs: [(&str, &str); N]) -> Vec<(String, String)> {
    pairs.map(|(name, said)| (name.to_owned(), said.to_owned())).into()
}

#[test]
fn health_checks_are_told() {
    let finished = holder(&["health", "--group", "held", "--format", "json"], 2);
    let results =
        [("holds", "no answer within 500ms"), ("panics", "panicked: as the test wants it"), ("speaks", "healthy")];
    assert_eq!(told(&finished, "checks", "name"), pairs(results));
    assert_logged(&finished, &["health check holds: unhealthy: no answer", "health check panics: unhealthy: panicked"]);
}

#[test]
fn data_quality_checks_are_told() {
    let finished = holder(&["dq", "run", "--format", "json"], 1);
    let results = [("fails", "failed"), ("holds_too", "no answer within 500ms")];
    assert_eq!(told(&finished, "results", "check"), pairs(results));
    assert_logged(&finished, &["check fails failed", "check holds_too errored: no answer"]);
}

/// The program on a terminal of its own.
#[cfg(target_os = "linux")]
fn seen(arguments: &str, code: i32) -> Finished {
    let command = format!("'{}' {arguments}", programs::program("stream-holder").display());
    run(Process::on_a_terminal(&command), code)
}

/// A bar is drawn there, over and over, while checks run.
#[test]
#[cfg(target_os = "linux")]
fn a_terminal_gets_its_table() {
    let finished = seen("dq run", 1);
    let (drawn, rest) = finished.stdout.split_once("\u{1b}[1mcheck\u{1b}[0m").expect("a table comes");
    assert!(drawn.contains(" 1/2 ") && rest.contains("no answer within 500ms"), "{finished:#?}");
}

/// The check that hangs is not begun again.
#[test]
#[cfg(target_os = "linux")]
fn whoever_watches_sees_how_it_goes_on() {
    let finished = seen("health --watch 200ms --group held & sleep 2; kill $!", 0);
    let screens: Vec<_> = finished.stdout.split("\u{1b}[2J").collect();
    assert!(screens.len() > 3 && screens[1].contains("no answer within 500ms"), "{finished:#?}");
    assert!(screens[2].contains("an earlier call has been running"), "{finished:#?}");
}
