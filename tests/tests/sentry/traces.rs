//! Sampled runs: a transaction with spans.

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
