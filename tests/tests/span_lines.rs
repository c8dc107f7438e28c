//! Lines of obs and of the program have the names and the fields of the spans of `tracing` around them. One test, because a
//! process has one subscriber.

use std::fmt;

use obs_runtime::{LogContext, Observability, track_performance, tracked_command, with_error_tracking};
use obs_tests::logs::{MemoryLog, messages};
use serde_json::{Value, json};

#[track_performance(level = "info")]
fn load() {}

#[with_error_tracking]
fn query() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("disk full"))
}

#[tracked_command]
fn import() {
    let _ = query();
}

#[tracing::instrument(err)]
fn save() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("disk full"))
}

#[tracing::instrument]
fn publish(message: &str) {
    tracing::info!(message = 42);
}

#[test]
fn lines_have_the_spans_around_them() {
    let log = MemoryLog::default();
    let builder = Observability::builder().without_environment().prometheus_port(0).log_spans(true);
    let _guard = builder.log_output(log.output()).init().unwrap();

    lines_of_obs_have_the_fields_of_spans(&log);
    events_without_a_message_say_what_they_are(&log);
    the_innermost_value_of_a_name_counts(&log);
    what_a_value_logs_is_a_line(&log);
    what_spans_record_later_is_on_later_lines(&log);
    another_thread_has_no_spans(&log);
}

fn lines_of_obs_have_the_fields_of_spans(log: &MemoryLog) {
    tracing::info_span!("request", method = "GET", uri = "/load").in_scope(|| {
        tracing::info_span!("job", job_id = 7, password = "hunter22").in_scope(|| {
            load();
            import();
            tracing::info!("by the program");
        });
    });
    let lines = log.take();
    assert_eq!(lines.len(), 6, "{lines:?}");
    for line in &lines {
        assert_eq!((&line["method"], &line["uri"]), (&json!("GET"), &json!("/load")), "{line}");
        assert_eq!((&line["job_id"], &line["password"]), (&json!(7), &json!("[REDACTED]")), "{line}");
        assert_eq!(line["span"], "job", "{line}");
        let spans = json!([
            {"name": "request", "fields": {"method": "GET", "uri": "/load"}},
            {"name": "job", "fields": {"job_id": 7, "password": "[REDACTED]"}}
        ]);
        assert_eq!(line["spans"], spans, "{line}");
    }
    load();
    for line in log.take() {
        assert_eq!((&line["span"], &line["spans"], &line["job_id"]), (&Value::Null, &Value::Null, &Value::Null));
    }
}

fn events_without_a_message_say_what_they_are(log: &MemoryLog) {
    save().unwrap_err();
    publish("hello");
    tracing::info!(name: "order.placed", id = 7);
    let lines = log.take();
    assert_eq!(messages(&lines), ["save failed: disk full", "42", "order.placed"]);
    assert_eq!((&lines[0]["error"], &lines[0]["span"]), (&json!("disk full"), &json!("save")));
    // The argument has the name of the message.
    assert_eq!((&lines[1]["fields"]["message"], &lines[1]["span"]), (&json!("hello"), &json!("publish")));
    assert_eq!((&lines[2]["event"], &lines[2]["id"]), (&json!("order.placed"), &json!(7)));
}

fn the_innermost_value_of_a_name_counts(log: &MemoryLog) {
    let line = || {
        tracing::info!("line");
        let lines = log.take();
        (lines[0]["tenant"].clone(), lines[0]["fields"].clone())
    };
    let context = |tenant: &'static str| LogContext::new().field("tenant", tenant);
    let in_span = tracing::info_span!("span", tenant = "span").in_scope(|| context("context").scope(line));
    assert_eq!(in_span, (json!("context"), Value::Null));
    let in_context = context("context").scope(|| tracing::info_span!("span", tenant = "span").in_scope(line));
    assert_eq!(in_context, (json!("span"), Value::Null));
    // What counts is what was entered last, not what was created last.
    let earlier = tracing::info_span!("span", tenant = "span");
    assert_eq!(context("context").scope(|| earlier.in_scope(line)).0, "span");
    let between = context("outer").scope(|| {
        let span = tracing::info_span!("span", tenant = "span").entered();
        let inside = LogContext::new().field("other", 1).scope(line);
        let innermost = context("inner").scope(line);
        drop(span);
        (inside.0, innermost.0, line().0)
    });
    assert_eq!(between, (json!("span"), json!("inner"), json!("outer")));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let span = || tracing::info_span!("span", tenant = "span");
    let twice = async {
        tokio::task::yield_now().await;
        line().0
    };
    let context_in_span = tracing::Instrument::instrument(context("context").in_future(twice), span());
    assert_eq!(runtime.block_on(context_in_span), "context");
    let twice = async {
        tokio::task::yield_now().await;
        line().0
    };
    let span_in_context = context("context").in_future(tracing::Instrument::instrument(twice, span()));
    assert_eq!(runtime.block_on(span_in_context), "span");
    // A field of the line itself.
    context("context").scope(|| span().in_scope(|| tracing::info!(tenant = "own", "line")));
    assert_eq!(log.take()[0]["tenant"], "own");
}

fn what_a_value_logs_is_a_line(log: &MemoryLog) {
    struct Logs;
    impl fmt::Display for Logs {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!("inside");
            formatter.write_str("value")
        }
    }
    struct LogsItself;
    impl fmt::Display for LogsItself {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            tracing::info!(value = %self, "itself");
            formatter.write_str("value")
        }
    }
    tracing::info!(value = %Logs, "outside");
    tracing::info_span!("span", value = %Logs).in_scope(|| tracing::info!("in a span"));
    let lines = log.take();
    assert_eq!(messages(&lines), ["inside", "outside", "inside", "in a span"]);
    assert_eq!((&lines[1]["value"], &lines[3]["value"]), (&json!("value"), &json!("value")));
    let dropped = || {
        let snapshot = obs_runtime::metrics();
        snapshot.value("obs.dropped", &[("sink", "log"), ("reason", "reentrant")]).unwrap_or_default()
    };
    let before = dropped();
    tracing::info!(value = %LogsItself, "without end");
    assert_eq!(messages(&log.take()), ["itself", "itself", "itself", "without end"]);
    assert_eq!(dropped() - before, 1.0);
}

fn what_spans_record_later_is_on_later_lines(log: &MemoryLog) {
    let outer = tracing::info_span!("outer", status = tracing::field::Empty);
    let _outer = outer.enter();
    let inner = tracing::info_span!("inner", rows = 1);
    let _inner = inner.enter();
    load();
    outer.record("status", 200);
    inner.record("rows", 2);
    load();
    let lines = log.take();
    let seen: Vec<_> = lines.iter().map(|line| (line["status"].clone(), line["rows"].clone())).collect();
    assert_eq!(seen[0], (Value::Null, json!(1)));
    assert_eq!(seen[2], (json!(200), json!(2)));
}

fn another_thread_has_no_spans(log: &MemoryLog) {
    let span = tracing::info_span!("span", rows = 1);
    span.in_scope(|| std::thread::scope(|threads| drop(threads.spawn(load).join())));
    for line in log.take() {
        assert_eq!((&line["span"], &line["rows"]), (&Value::Null, &Value::Null));
    }
}
