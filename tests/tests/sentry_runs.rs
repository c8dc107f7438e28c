//! What a server that checks each item sees of runs of a command: check-ins, sessions, what was dropped, and storms.
#![cfg(unix)]

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;

use obs_tests::process::Process;
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use obs_tests::servers::{Answer, SentryServer};
use obs_tests::strangers::Stranger;
use serde_json::{Value, json};

fn job(server: &SentryServer, way: &str) -> Process {
    watched(server, Process::new(Path::new(env!("CARGO_BIN_EXE_errors-job"))).args(&[way]))
}

fn watched(server: &SentryServer, process: Process) -> Process {
    process
        .env("LOG_LEVEL", "off")
        .env("PROMETHEUS_PORT", "0")
        .env("ENVIRONMENT", "test")
        .env("SENTRY_ENABLED", "true")
        .env("SENTRY_DSN", server.dsn())
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("SENTRY_TRACES_SAMPLE_RATE", "0")
}

/// How the monitor is told, whatever became of the run.
fn assert_checked_in(server: &SentryServer, way: &str, status: &str) {
    let check_ins = server.wait_for("check_in", 2);
    let [begun, ended] = &check_ins[..] else { panic!("{way}: {check_ins:#?}") };
    assert_eq!((&begun["status"], &ended["status"]), (&json!("in_progress"), &json!(status)), "{way}");
    assert_eq!(begun["check_in_id"], ended["check_in_id"], "{way}");
    assert!(ended["duration"].as_f64().is_some_and(|seconds| seconds < 60.0), "{way}: {ended}");
    for told in &check_ins {
        assert_eq!((&told["monitor_slug"], &told["environment"]), (&json!("errors-job"), &json!("test")), "{way}");
        let expected = json!({"schedule": {"type": "crontab", "value": "0 3 * * *"}, "timezone": "Europe/Berlin",
            "max_runtime": 30, "checkin_margin": 5});
        assert_eq!(told["monitor_config"], expected, "the monitor is made and kept as it is declared");
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
fn each_ending_is_told_to_the_monitor_and_to_release_health() {
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
fn a_signal_names_what_it_interrupts() {
    let server = SentryServer::start();
    let running = job(&server, "wait").start();
    running.wait_for_output("it is ready", |line| (line == "ready").then_some(()));
    running.signal("INT");
    assert_eq!(running.finish().status.signal(), Some(2));
    let events = server.wait_for("event", 3);
    let said: Vec<_> = events.iter().filter_map(|event| event["logentry"]["message"].as_str()).collect();
    let interrupted = "SIGINT: the process ends within errors-job, while these ran: waits_for_the_feed";
    assert_eq!(said, ["the feed of 2026-11-26 is empty", interrupted]);
}

#[test]
fn what_the_server_says_of_limits_is_honoured_and_what_is_dropped_for_it_is_reported() {
    for (name, value) in [("Retry-After", "3"), ("X-Sentry-Rate-Limits", "3:error;session;monitor:organization")] {
        let server = SentryServer::start();
        // The check-in and the session of the start come first.
        let refused = Answer { status: 429, headers: vec![(name, value.to_owned())] };
        server.answer([Answer { status: 200, headers: Vec::new() }, refused]);
        let ended = job(&server, "patient").run();
        assert_eq!(ended.code(), Some(0), "{ended:?}");
        let events = server.items("event");
        // The error is told when its way is over, which is after the limit too.
        let said: Vec<_> = events.iter().filter_map(|event| event["logentry"]["message"].as_str()).collect();
        assert_eq!(
            (&said[..], events.len()),
            (&["after the limit"][..], 2),
            "{name}: what the limit forbids is not sent"
        );
        let reports: Vec<Value> = server.items("client_report");
        let dropped: Vec<&Value> =
            reports.iter().flat_map(|report| report["discarded_events"].as_array().unwrap()).collect();
        let errors: u64 = dropped
            .iter()
            .filter(|dropped| dropped["category"] == "error" && dropped["reason"] == "ratelimit_backoff")
            .map(|dropped| dropped["quantity"].as_u64().unwrap())
            .sum();
        assert_eq!(errors, 1, "{name}: {dropped:?}");
        assert!(ended.stdout.contains("dropped rate_limited 2"), "{name}: {ended:?}");
    }
}

/// Name, op and status of each span with the name of the one that it is in.
fn spans(transaction: &Value) -> Vec<[String; 4]> {
    let spans = transaction["spans"].as_array().unwrap();
    let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parent = |span: &Value| {
        let parent = spans.iter().find(|other| other["span_id"] == span["parent_span_id"]);
        parent.map_or_else(|| "the run".to_owned(), |parent| words(&parent["description"]))
    };
    let told = |span: &Value| [words(&span["description"]), words(&span["op"]), words(&span["status"]), parent(span)];
    spans.iter().map(told).collect()
}

#[test]
fn a_sampled_run_is_a_transaction_with_a_span_for_each_function() {
    let server = SentryServer::start();
    let ended = job(&server, "return").env("SENTRY_TRACES_SAMPLE_RATE", "1").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let transactions = server.items("transaction");
    let [run] = &transactions[..] else { panic!("{transactions:#?}") };
    assert_eq!((&run["transaction"], &run["release"]), (&json!("errors-job"), &json!("errors-job@1.2.3")));
    assert_eq!(
        (&run["contexts"]["trace"]["op"], &run["contexts"]["trace"]["status"]),
        (&json!("command"), &json!("ok"))
    );
    let function = |name: &str, parent: &str| [name, "function", "unknown_error", parent].map(str::to_owned);
    // What bears two attributes is one span.
    let expected =
        [function("parse_row", "load_file"), function("load_file", "load_day"), function("load_day", "the run")];
    assert_eq!(spans(run), expected);
    // Sentry's client writes beginnings as seconds and ends as dates.
    let begun = |told: &Value| told["start_timestamp"].as_f64();
    let ended = |told: &Value| told["timestamp"].as_str().map(str::to_owned);
    for span in run["spans"].as_array().unwrap() {
        assert!(begun(span) >= begun(run) && begun(span).is_some() && ended(span) <= ended(run), "{run:#}");
    }
    #[cfg(feature = "real")]
    assert_eq!(obs_tests::relay::remarks(&transactions), Vec::<String>::new());
    // Its errors are of the same trace.
    let events = server.items("event");
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["contexts"]["trace"]["trace_id"] == run["contexts"]["trace"]["trace_id"]));
}

#[test]
fn whether_a_run_is_sampled_is_decided_by_who_it_runs_for_and_otherwise_by_chance() {
    let traced = |rate: &str, traceparent: &str| {
        let server = SentryServer::start();
        let job = job(&server, "return").env("SENTRY_TRACES_SAMPLE_RATE", rate).env("TRACEPARENT", traceparent);
        assert_eq!(job.run().code(), Some(0));
        server.items("transaction").first().map(|run| run["contexts"]["trace"].clone())
    };
    let sampled = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let trace = traced("0.000001", sampled).unwrap();
    assert_eq!(trace["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    assert_eq!(trace["parent_span_id"], "00f067aa0ba902b7");
    assert_ne!(trace["span_id"], "00f067aa0ba902b7");
    assert_eq!(traced("1", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"), None);
    assert_eq!(traced("0", sampled), None, "nobody wants traces");
    assert_eq!(traced("0.000001", ""), None);
    assert!(traced("1.0", "").is_some_and(|trace| trace.get("parent_span_id").is_none()));
}

#[test]
fn queries_and_tasks_are_spans_where_they_ran() {
    let (server, bigquery) = (SentryServer::start(), ScriptedBigQuery::start(Behaviour::default()));
    let state = tempfile::tempdir().unwrap();
    let mut job = watched(&server, Process::new(env!("CARGO_BIN_EXE_bigquery-user")))
        .env("SENTRY_TRACES_SAMPLE_RATE", "1")
        .env("BIGQUERY_EMULATOR_HOST", bigquery.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", "shared=1000USD/month")
        .env("OBS_STATE_DIR", state.path())
        .start();
    job.stdin.as_mut().unwrap().write_all(b"report\n").unwrap();
    let ended = job.finish();
    assert!(ended.stdout.contains("ok "), "{ended:?}");
    let runs = server.items("transaction");
    assert_eq!((runs.len(), &runs[0]["transaction"]), (1, &json!("report")));
    let found = |name: &str, op: &str, parent: &str| [name, op, "ok", parent].map(str::to_owned);
    assert_eq!(
        spans(&runs[0]),
        [
            found("first", "function", "both"),
            found("second", "function", "both"),
            found("both", "function", "the run"),
            found("select", "db.query", "the run"),
        ]
    );
}

#[test]
fn a_storm_is_told_by_its_first_errors_and_by_their_number() {
    let server = SentryServer::start();
    let ended = job(&server, "storm").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let events = server.items("event");
    let said = |event: &&Value| event["exception"]["values"][0]["value"] == "asked to fail";
    let storm: Vec<_> = events.iter().filter(said).collect();
    let left_out: u64 = storm.iter().map(|event| event["extra"]["left_out_before"].as_u64().unwrap_or_default()).sum();
    assert!((21..40).contains(&storm.len()), "{} events, {:?}", storm.len(), ended.duration);
    assert_eq!(storm.len() as u64 + left_out, 100_001);
    assert!(storm.last().unwrap()["extra"]["left_out_before"].as_u64() > Some(0), "{ended:?}");
    assert!(ended.stdout.contains(&format!("left out {left_out}\n")), "{ended:?}");
}

#[test]
fn where_panics_abort_all_is_told_before_the_process_is_gone() {
    let manifest = "edition = \"2024\"\n[profile.dev]\npanic = \"abort\"\n[dependencies]\n\
                    obs-runtime = { path = \"{obs}\", features = [\"prometheus\", \"sentry\"] }";
    let stranger = Stranger::new("aborts", manifest, &[("main.rs", include_str!("../strangers/aborts.rs"))]);
    let program = stranger.build("aborts");
    for arguments in [&[][..], &["elsewhere"]] {
        let (server, folder) = (SentryServer::start(), tempfile::tempdir().unwrap());
        let process = watched(&server, Process::new(&program).args(arguments));
        let ended = process.env("PROMETHEUS_TEXTFILE_DIR", folder.path()).run();
        assert_eq!(ended.status.signal(), Some(6), "{ended:?}");
        let events = server.items("event");
        assert_eq!(events.len(), 1, "{arguments:?}: {events:#?}");
        let exception = &events[0]["exception"]["values"][0];
        assert_eq!((&exception["type"], &exception["value"]), (&json!("panic"), &json!("asked to panic")));
        assert_eq!(exception["mechanism"]["handled"], false);
        assert_eq!(server.items("check_in").last().unwrap()["status"], "error", "{arguments:?}");
        assert_eq!(server.items("session").last().unwrap()["status"], "crashed", "{arguments:?}");
        let file = std::fs::read_dir(folder.path())
            .unwrap()
            .flatten()
            .find(|file| file.path().extension() == Some("prom".as_ref()));
        let metrics = std::fs::read_to_string(file.unwrap().path()).unwrap();
        let failed = metrics.lines().find(|line| line.starts_with("cli_command_failure_total{")).unwrap();
        assert!(failed.contains("outcome=\"panic\"") && failed.ends_with(" 1"), "{failed}");
    }
}
