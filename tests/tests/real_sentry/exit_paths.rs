//! Each event arrives once on every exit path.

use std::os::unix::process::ExitStatusExt as _;

use obs_tests::sentry_relay;
use obs_tests::servers::{Bugsink, Project};
use serde_json::Value;

use super::{FLUSH_TIMEOUT, job, run};

/// The message of an event, or of its last exception.
fn message(event: &Value) -> String {
    let exception = event["exception"]["values"].as_array().and_then(|values| values.last());
    let text = exception.map_or(&event["logentry"]["message"], |exception| &exception["value"]);
    text.as_str().unwrap_or_default().to_owned()
}

#[track_caller]
fn assert_sent(bugsink: &Bugsink, project: &Project, way: &str, last: Option<&str>) {
    let mut expected = vec!["row 9 is bad", "the feed of 2026-11-26 is empty"];
    expected.extend(last);
    let events = bugsink.events(project, expected.len());
    let messages: Vec<_> = events.iter().map(message).collect();
    assert_eq!(messages, expected, "{way}\n{}", bugsink.log());
    assert_eq!(sentry_relay::remarks(&events), Vec::<String>::new(), "{way}");
}

pub fn every_exit_path_sends_each_event_once(bugsink: &Bugsink) {
    for (way, code, last) in [
        ("error", 1, Some("asked to fail")),
        ("panic", 101, Some("asked to panic with 7")),
        ("thread", 0, Some("asked to panic elsewhere")),
        ("task", 0, Some("asked to panic with 8")),
        ("not-text", 101, Some("a value that is not text")),
        ("exit", 7, None),
    ] {
        let (ended, project) = run(bugsink, way);
        assert_eq!(ended.code(), Some(code), "{way}: {ended:?}");
        assert_sent(bugsink, &project, way, last);
    }
    // A panic while another one unwinds ends the process at once, and both are sent.
    let (ended, project) = run(bugsink, "twice");
    assert_eq!(ended.status.signal(), Some(6), "{ended:?}");
    let messages: Vec<_> = bugsink.events(&project, 4).iter().map(message).collect();
    assert_eq!(messages[2..], ["asked to panic with 9", "asked to panic while it panics"], "{messages:?}");

    let project = bugsink.project();
    let running = job(&bugsink.dsn(&project), "wait").start();
    running.wait_for_output("it is ready", |line| (line == "ready").then_some(()));
    running.signal("TERM");
    assert_eq!(running.finish().status.signal(), Some(15));
    assert_sent(
        bugsink,
        &project,
        "SIGTERM",
        Some("SIGTERM: flushing and exiting; running commands: errors-job; running operations: waits_for_the_feed"),
    );
}

pub fn an_exhausted_quota_is_honoured(bugsink: &Bugsink) {
    let project = bugsink.project_without_quota();
    let ended = job(&bugsink.dsn(&project), "error").run();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    assert!(ended.duration < FLUSH_TIMEOUT, "{:?}", ended.duration);
    assert_eq!(bugsink.events(&project, 0).len(), 0);
}
