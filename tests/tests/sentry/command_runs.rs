//! Runs of a command: check-ins, the session, and interruption by a signal.

use std::os::unix::process::ExitStatusExt as _;

use obs_tests::servers::SentryServer;
use serde_json::{Value, json};

use super::job;

/// Each run has a check-in at its start and one at its end.
fn assert_checked_in(server: &SentryServer, way: &str, status: &str) {
    let check_ins = server.wait_for("check_in", 2);
    let [begun, ended] = &check_ins[..] else { panic!("{way}: {check_ins:#?}") };
    assert_eq!((&begun["status"], &ended["status"]), (&json!("in_progress"), &json!(status)), "{way}");
    assert_eq!(begun["check_in_id"], ended["check_in_id"], "{way}");
    assert!(ended["duration"].as_f64().is_some_and(|seconds| seconds > 0.0 && seconds < 120.0), "{way}: {ended}");
    for check_in in &check_ins {
        assert_eq!(
            (&check_in["monitor_slug"], &check_in["environment"]),
            (&json!("errors-job"), &json!("test")),
            "{way}"
        );
        let expected = json!({"schedule": {"type": "crontab", "value": "0 3 * * *"}, "timezone": "Europe/Berlin",
            "max_runtime": 30, "checkin_margin": 5});
        assert_eq!(check_in["monitor_config"], expected, "{way}");
    }
    // The check-ins of a run and its events are of one trace.
    let trace = &ended["contexts"]["trace"]["trace_id"];
    assert!(trace.as_str().is_some_and(|id| id.len() == 32), "{way}: {ended}");
    assert_eq!(&begun["contexts"]["trace"]["trace_id"], trace, "{way}");
    for event in server.items("event") {
        assert_eq!(&event["contexts"]["trace"]["trace_id"], trace, "{way}: {event:#}");
        assert_eq!(event["contexts"]["monitor"]["slug"], "errors-job", "{way}: {event:#}");
    }
}

#[test]
fn an_interval_and_thresholds_are_told_to_the_monitor() {
    let server = SentryServer::start();
    assert_eq!(job(&server, "interval").run().code(), Some(0));
    let check_ins = server.wait_for("check_in", 2);
    let expected = json!({"schedule": {"type": "interval", "value": 6, "unit": "hour"}, "checkin_margin": 5,
        "failure_issue_threshold": 3, "recovery_threshold": 2});
    for check_in in &check_ins {
        assert_eq!((&check_in["monitor_config"], &check_in["monitor_slug"]), (&expected, &json!("by-interval")));
    }
}

#[test]
fn a_service_without_commands_has_a_session_for_its_process() {
    for (way, code, status, errors) in [("serve", 0, "exited", 2), ("serve-and-panic", 101, "crashed", 3)] {
        let server = SentryServer::start();
        let ended = job(&server, way).run();
        assert_eq!(ended.code(), Some(code), "{way}: {ended:?}");
        assert_session(&server, way, status, errors);
    }
}

fn assert_session(server: &SentryServer, way: &str, status: &str, errors: u64) {
    let sessions = server.wait_for("session", 2);
    let [begun, ended] = &sessions[..] else { panic!("{way}: {sessions:#?}") };
    assert_eq!((&begun["init"], &begun["status"]), (&json!(true), &json!("ok")), "{way}");
    assert_eq!((&ended["sid"], &ended["started"]), (&begun["sid"], &begun["started"]), "{way}: {sessions:#?}");
    assert_eq!((&ended["status"], &ended["errors"]), (&json!(status), &json!(errors)), "{way}");
    assert_eq!(ended["attrs"], json!({"release": "errors-job@1.2.3", "environment": "test"}), "{way}");
}

#[test]
fn every_exit_path_is_reported_to_the_monitor_and_release_health() {
    for (way, ended_as, checked_in, session, errors) in [
        ("return", Ok(0), "ok", "exited", 1),
        ("error", Ok(1), "error", "exited", 2),
        ("panic", Ok(101), "error", "crashed", 2),
        ("exit", Ok(7), "error", "exited", 1),
        ("twice", Err(6), "error", "crashed", 3),
        ("wait", Err(15), "error", "abnormal", 1),
    ] {
        let server = SentryServer::start();
        let running = job(&server, way).start();
        if way == "wait" {
            running.wait_for_output("it is ready", |line| (line == "ready").then_some(()));
            running.signal("TERM");
        }
        let ended = running.finish();
        assert_eq!(ended.code().ok_or_else(|| ended.status.signal().unwrap_or_default()), ended_as, "{way}: {ended:?}");
        assert_checked_in(&server, way, checked_in);
        assert_session(&server, way, session, errors);
        assert_eq!(server.items("client_report").len(), 0, "{way}: nothing was dropped");
    }
}

#[test]
fn the_message_for_a_signal_names_what_it_interrupts() {
    let server = SentryServer::start();
    let running = job(&server, "wait").start();
    running.wait_for_output("it is ready", |line| (line == "ready").then_some(()));
    running.signal("INT");
    assert_eq!(running.finish().status.signal(), Some(2));
    let events = server.wait_for("event", 3);
    let messages: Vec<_> = events.iter().filter_map(|event| event["logentry"]["message"].as_str()).collect();
    let interrupted =
        "SIGINT: flushing and exiting; running commands: errors-job; running operations: waits_for_the_feed";
    assert_eq!(messages, ["the feed of 2026-11-26 is empty", interrupted]);
}

/// The messages of the events, and the functions that each error has passed.
fn events(server: &SentryServer) -> Vec<(String, Value)> {
    let message = |event: &Value| {
        let exception = event["exception"]["values"].as_array().and_then(|values| values.last());
        exception.map_or(&event["logentry"]["message"], |exception| &exception["value"]).as_str().unwrap().to_owned()
    };
    server.items("event").iter().map(|event| (message(event), event["extra"]["passed"].clone())).collect()
}

#[test]
fn the_error_of_a_command_is_one_event_whether_or_not_a_function_inside_has_captured_it() {
    let command = "errors-job (tracked_command)";
    for (way, last, passed) in [
        ("untracked", "asked to fail untracked", json!([command])),
        ("error", "asked to fail", json!(["give_up (with_error_tracking)", command])),
    ] {
        let server = SentryServer::start();
        let ended = job(&server, way).run();
        assert_eq!(ended.code(), Some(1), "{way}: {ended:?}");
        let events = events(&server);
        assert_eq!(events.len(), 3, "{way}: {events:#?}");
        assert_eq!(events[2], (last.to_owned(), passed), "{way}");
        assert_session(&server, way, "exited", 2);
        assert_checked_in(&server, way, "error");
        let event = &server.items("event")[2];
        assert_eq!((&event["tags"]["team"], &event["contexts"]["errors-job"]["way"]), (&json!("growth"), &json!(way)));
    }
}

#[test]
fn an_error_that_the_command_has_handled_has_not_passed_it() {
    let server = SentryServer::start();
    assert_eq!(job(&server, "return").run().code(), Some(0));
    let events = events(&server);
    let passed = json!([
        "parse_row (track_performance)",
        "parse_row (with_error_tracking)",
        "load_file (with_error_tracking)",
        "load_day (track_performance)",
        "errors-job (capture_error)"
    ]);
    let index = events.iter().position(|(message, _)| message == "row 9 is bad").unwrap();
    assert_eq!(events[index].1, passed);
    // What the command says of itself is on the event all the same.
    let event = &server.items("event")[index];
    assert_eq!((&event["tags"]["team"], &event["contexts"]["errors-job"]["way"]), (&json!("growth"), &json!("return")));
}
