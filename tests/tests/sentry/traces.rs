//! Sampled runs: a transaction with spans.

use std::collections::BTreeMap;
use std::io::Write as _;

use obs_tests::process::Process;
use obs_tests::servers::SentryServer;
use obs_tests::servers::scripted_bigquery::{Behaviour, ScriptedBigQuery};
use serde_json::{Value, json};

use super::{job, reporting_to};

/// The description, op and status of each span and the description of its parent.
fn spans(transaction: &Value) -> Vec<[String; 4]> {
    let spans = transaction["spans"].as_array().unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let parent = |span: &Value| {
        let parent = spans.iter().find(|other| other["span_id"] == span["parent_span_id"]);
        parent.map_or_else(|| "the run".to_owned(), |parent| text(&parent["description"]))
    };
    let row = |span: &Value| [text(&span["description"]), text(&span["op"]), text(&span["status"]), parent(span)];
    spans.iter().map(row).collect()
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
    // A function with two attributes is one span.
    let expected =
        [function("parse_row", "load_file"), function("load_file", "load_day"), function("load_day", "the run")];
    assert_eq!(spans(run), expected);
    // Sentry's client writes start times as seconds and end times as dates.
    let start = |item: &Value| item["start_timestamp"].as_f64();
    let end = |item: &Value| item["timestamp"].as_str().map(str::to_owned);
    for span in run["spans"].as_array().unwrap() {
        assert!(start(span) >= start(run) && start(span).is_some(), "{run:#}");
        assert!(end(span) <= end(run) && end(span).is_some(), "{run:#}");
    }
    #[cfg(feature = "real")]
    assert_eq!(obs_tests::sentry_relay::remarks(&transactions), Vec::<String>::new());
    // The errors of the run have its trace.
    let events = server.items("event");
    assert_eq!(events.len(), 2);
    assert!(events.iter().all(|event| event["contexts"]["trace"]["trace_id"] == run["contexts"]["trace"]["trace_id"]));
}

#[test]
fn a_hot_function_leaves_room_for_the_others_and_is_summed_up() {
    let server = SentryServer::start();
    let ended = job(&server, "hot").env("SENTRY_TRACES_SAMPLE_RATE", "1").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let transactions = server.items("transaction");
    let [run] = &transactions[..] else { panic!("{transactions:#?}") };
    let found = spans(run);
    let with = |name: &str| found.iter().filter(|[description, ..]| description == name).count();
    assert_eq!((with("hot"), with("after_the_hot_one"), with("load_day")), (100, 1, 1), "{found:?}");
    let sums = run["spans"].as_array().unwrap().iter().filter(|span| span["data"].get("calls").is_some());
    let [sum] = &sums.collect::<Vec<_>>()[..] else { panic!("{run:#}") };
    let description = sum["description"].as_str().unwrap();
    assert!(description.starts_with("hot × 1,200, ") && description.ends_with(" s"), "{description}");
    assert_eq!((&sum["data"]["calls"], &sum["op"]), (&json!(1200), &json!("function")));
    assert_eq!(sum["parent_span_id"], run["contexts"]["trace"]["span_id"]);
    assert!(run["extra"].get("spans_left_out").is_none(), "{run:#}");
    #[cfg(feature = "real")]
    assert_eq!(obs_tests::sentry_relay::remarks(&transactions), Vec::<String>::new());
}

#[test]
fn sampling_follows_the_parent_and_otherwise_the_rate() {
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
    assert_eq!(traced("0", sampled), None, "a rate of 0 disables traces");
    assert_eq!(traced("0.000001", ""), None);
    assert!(traced("1.0", "").is_some_and(|trace| trace.get("parent_span_id").is_none()));
}

#[test]
fn queries_and_tasks_are_child_spans() {
    let (server, bigquery) = (SentryServer::start(), ScriptedBigQuery::start(Behaviour::default()));
    let state = tempfile::tempdir().unwrap();
    let mut job = reporting_to(&server, Process::new(env!("CARGO_BIN_EXE_bigquery-user")))
        .env("SENTRY_TRACES_SAMPLE_RATE", "1")
        .env("BIGQUERY_EMULATOR_HOST", bigquery.host())
        .env("GOOGLE_CLOUD_PROJECT", "p")
        .env("OBS_BUDGETS", "shared=1000USD/month")
        .env("OBS_STATE_DIR", state.path())
        .start();
    job.stdin.as_mut().unwrap().write_all(b"report\n").unwrap();
    let ended = job.finish();
    assert!(ended.stdout.contains("ok 0.000119"), "{ended:?}");
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

/// The names and values that a program has printed after a word, at each time.
fn printed(stdout: &str, word: &str) -> Vec<BTreeMap<String, String>> {
    let lines = stdout.lines().filter_map(|line| line.strip_prefix(word));
    lines.map(|line| serde_json::from_str::<Vec<(String, String)>>(line).unwrap().into_iter().collect()).collect()
}

#[test]
fn requests_are_transactions_in_the_traces_of_their_callers() {
    let server = SentryServer::start();
    let ended = job(&server, "serve").env("SENTRY_TRACES_SAMPLE_RATE", "1").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let mut runs = server.items("transaction");
    // They come over several connections.
    runs.sort_by(|one, other| one["start_timestamp"].as_f64().partial_cmp(&other["start_timestamp"].as_f64()).unwrap());
    let [own, of_caller] = &runs[..] else { panic!("{runs:#?}") };
    for (run, parent) in [(own, None), (of_caller, Some("00f067aa0ba902b7"))] {
        let trace = &run["contexts"]["trace"];
        assert_eq!((&run["transaction"], &trace["op"]), (&json!("GET /users/{id}"), &json!("http.server")));
        assert_eq!((trace["parent_span_id"].as_str(), &trace["status"]), (parent, &json!("unknown_error")), "{run:#}");
        assert_eq!(spans(run).len(), 3, "{run:#}");
    }
    assert_eq!(of_caller["contexts"]["trace"]["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736");
    #[cfg(feature = "real")]
    assert_eq!(obs_tests::sentry_relay::remarks(&runs), Vec::<String>::new());
    // Each error is in the span of the function that has returned it, and the message in a trace of the process.
    let events = server.items("event");
    let trace_of = |event: &Value| event["contexts"]["trace"]["trace_id"].clone();
    assert_eq!(events.len(), 3);
    for (event, run) in events.iter().zip(&runs) {
        assert_eq!(trace_of(event), trace_of(run));
        let span = run["spans"].as_array().unwrap().iter().find(|span| span["description"] == "parse_row").unwrap();
        assert_eq!(event["contexts"]["trace"]["span_id"], span["span_id"], "{event:#}");
    }
    assert!(trace_of(&events[2]).as_str().is_some_and(|id| id.len() == 32), "{:#}", events[2]);
    // A service that is called gets the trace and what has been said of it; members of others are left to the program.
    let headers = printed(&ended.stdout, "headers ");
    let children = printed(&ended.stdout, "child ");
    for ((headers, child), run) in headers.iter().zip(&children).zip(&runs) {
        let trace = &run["contexts"]["trace"];
        let ids = format!("{}-{}", trace["trace_id"].as_str().unwrap(), trace["span_id"].as_str().unwrap());
        assert_eq!((&headers["sentry-trace"], &child["SENTRY_TRACE"]), (&format!("{ids}-1"), &format!("{ids}-1")));
        assert_eq!(headers["traceparent"], format!("00-{ids}-01"));
        assert_eq!(headers["baggage"], child["SENTRY_BAGGAGE"]);
    }
    let id = own["contexts"]["trace"]["trace_id"].as_str().unwrap();
    let begun_here = format!(
        "sentry-trace_id={id},sentry-public_key=0123456789abcdef0123456789abcdef,sentry-release=errors-job%401.2.3,\
         sentry-environment=test,sentry-sampled=true"
    );
    assert_eq!(headers[0]["baggage"], begun_here);
    assert_eq!(headers[1]["baggage"], "sentry-trace_id=4bf92f3577b34da6a3ce929d0e0e4736,sentry-release=shop%401");
}

#[test]
fn a_span_of_tracing_that_handles_a_request_is_a_transaction() {
    let server = SentryServer::start();
    let ended = job(&server, "serve-in-spans").env("SENTRY_TRACES_SAMPLE_RATE", "1").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let mut runs = server.items("transaction");
    runs.sort_by_key(|run| run["transaction"].to_string());
    let facts = |run: &Value| {
        let (trace, spans) = (&run["contexts"]["trace"], run["spans"].as_array().unwrap());
        let names: Vec<_> = spans.iter().map(|span| span["description"].as_str().unwrap().to_owned()).collect();
        (run["transaction"].clone(), trace["op"].clone(), trace["status"].clone(), names.join(" "))
    };
    let expected = [
        (json!("GET /health"), json!("http.server"), json!("ok"), "authorize".to_owned()),
        (
            json!("GET /users"),
            json!("http.server"),
            json!("unknown_error"),
            "authorize parse_row load_file load_day".to_owned(),
        ),
    ];
    assert_eq!(runs.iter().map(facts).collect::<Vec<_>>(), expected, "{runs:#?}");
    let headers = printed(&ended.stdout, "headers ");
    for (headers, run) in headers.iter().zip(runs.iter().rev()) {
        let trace = &run["contexts"]["trace"];
        let ids = format!("{}-{}", trace["trace_id"].as_str().unwrap(), trace["span_id"].as_str().unwrap());
        assert_eq!(headers["traceparent"], format!("00-{ids}-01"));
    }
}

#[test]
fn a_child_of_a_process_with_an_sdk_of_sentry_is_in_its_trace() {
    let traced = |sentry_trace: &str| {
        let server = SentryServer::start();
        let job = job(&server, "return").env("SENTRY_TRACES_SAMPLE_RATE", "1").env("SENTRY_TRACE", sentry_trace);
        let ended = job.run();
        assert!(ended.code() == Some(0) && !ended.stderr.contains("unknown variable"), "{ended:?}");
        server.items("transaction").first().map(|run| run["contexts"]["trace"]["parent_span_id"].clone())
    };
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
    assert_eq!(traced(&format!("{trace}-1")), Some(json!("00f067aa0ba902b7")));
    assert_eq!(traced(&format!("{trace}-0")), None);
    assert_eq!(traced(trace), Some(json!("00f067aa0ba902b7")), "the decision is left to this process");
}
