//! What the spans of a trace contain: the function, events, stacks, and what fields of `tracing` say.

use obs_tests::process::{Finished, Process};
use obs_tests::servers::{OtlpAnswer, OtlpServer};
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::{Event, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::ended::warnings;

fn process(program: &str, server: &OtlpServer) -> Process {
    Process::new(program)
        .env("LOG_LEVEL", "WARNING")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
}

fn contents(server: &OtlpServer) -> Finished {
    let ended = process(env!("CARGO_BIN_EXE_spans"), server).args(&["contents"]).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended
}

fn named<'s>(spans: &'s [Span], name: &str) -> &'s Span {
    spans.iter().find(|span| span.name == name).unwrap_or_else(|| panic!("no span {name}: {spans:#?}"))
}

/// The text of an attribute.
fn text<'a>(attributes: &'a [KeyValue], key: &str) -> Option<&'a str> {
    match attributes.iter().find(|attribute| attribute.key == key)?.value.as_ref()?.value.as_ref()? {
        Any::StringValue(text) => Some(text),
        other => panic!("{key}: {other:?}"),
    }
}

fn exception(span: &Span) -> &Event {
    span.events.iter().find(|event| event.name == "exception").unwrap_or_else(|| panic!("{span:#?}"))
}

#[test]
fn a_function_has_its_own_name_whatever_the_operation_is_called() {
    let server = OtlpServer::start();
    contents(&server);
    let spans = server.spans();
    let function = |name: &str| text(&named(&spans, name).attributes, "code.function.name");
    for (operation, expected) in [
        ("users.load", "spans::load_users"),
        ("contents", "spans::contents"),
        ("source", "spans::is_reachable"),
        ("users.rows[a]", "spans::count_rows"),
        ("fails", "spans::fails"),
    ] {
        assert_eq!(function(operation), Some(expected), "{operation}");
    }
    // The name of a span of `tracing` need not be that of a function.
    assert_eq!(function("GET /users/{id}"), None);
    assert!(text(&named(&spans, "GET /users/{id}").attributes, "code.file.path").is_some());
}

#[test]
fn events_of_tracing_are_events_of_the_span_and_redacted() {
    let server = OtlpServer::start();
    contents(&server);
    let spans = server.spans();
    let [event] = &*named(&spans, "users.load").events else { panic!("{spans:#?}") };
    assert_eq!(event.name, "loaded by bearer [REDACTED]");
    assert_eq!((text(&event.attributes, "level"), text(&event.attributes, "logger")), (Some("INFO"), Some("spans")));
    assert_eq!(text(&event.attributes, "password"), Some("[REDACTED]"));
    let rows = event.attributes.iter().find(|attribute| attribute.key == "rows").unwrap();
    assert_eq!(rows.value.as_ref().unwrap().value, Some(Any::IntValue(5)));
    // At most 128 of a span, as in OpenTelemetry's limits.
    let request = named(&spans, "GET /users/{id}");
    assert_eq!((request.events.len(), request.dropped_events_count), (128, 2));

    // Where log records are exported, they are these.
    let server = OtlpServer::start();
    let ended = process(env!("CARGO_BIN_EXE_spans"), &server)
        .args(&["contents"])
        .env("LOG_LEVEL", "INFO")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let spans = server.spans();
    let load = named(&spans, "users.load");
    assert!(load.events.is_empty(), "{load:#?}");
    let is_of_span = |span_id: &[u8]| span_id == load.span_id;
    assert_eq!(server.logs().iter().filter(|record| is_of_span(&record.span_id)).count(), 1, "{:#?}", server.logs());
}

#[test]
fn fields_of_tracing_say_what_a_span_is() {
    let server = OtlpServer::start();
    contents(&server);
    let spans = server.spans();
    let request = named(&spans, "GET /users/{id}");
    assert_eq!(request.kind(), SpanKind::Client);
    let status = request.status.as_ref().unwrap();
    assert_eq!((status.code(), &*status.message), (StatusCode::Error, "no such user"));
    let keys: Vec<_> = request.attributes.iter().map(|attribute| &*attribute.key).collect();
    assert!(keys.contains(&"rows") && !keys.iter().any(|key| key.starts_with("otel.")), "{keys:?}");
}

#[test]
fn an_exception_has_the_stack_where_it_was_captured() {
    let server = OtlpServer::start();
    contents(&server);
    let spans = server.spans();
    let stack = |name: &str| text(&exception(named(&spans, name)).attributes, "exception.stacktrace");
    for name in ["fails", "panics"] {
        let stack = stack(name).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
        let first = stack.lines().next().unwrap();
        assert!(first.contains(&format!("spans::{name}")), "{stack}");
        assert!(stack.contains("spans.rs:"), "{stack}");
    }
    // The error passes on to the command, which has no stack of its own.
    assert_eq!(stack("contents"), None);
    assert_eq!(text(&exception(named(&spans, "contents")).attributes, "exception.type"), Some("ParseIntError"));
}

#[test]
fn the_same_failure_is_warned_of_once_for_any_number_of_spans() {
    let refused = OtlpAnswer::Status(401, Vec::new());
    let server = OtlpServer::answering(vec![refused; 3]);
    let ended = contents(&server);
    assert!(server.requests() >= 2, "one for each command");
    // The health check of the endpoint fails too.
    let of_exporter = |warning: &&String| warning.starts_with("otlp_traces: ");
    let warnings = warnings(&ended, "otlp_traces");
    assert_eq!(warnings.iter().filter(of_exporter).count(), 1, "{warnings:?}");
}

#[test]
fn commands_of_operators_are_spans() {
    let names = |spans: &[Span], parent: &Span| -> Vec<String> {
        let inside = spans.iter().filter(|span| span.parent_span_id == parent.span_id);
        let mut names: Vec<_> = inside.map(|span| span.name.clone()).collect();
        names.sort();
        names
    };
    let caller = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    for (arguments, name, code, checks) in [
        (
            &["dq", "run"][..],
            "dq run",
            0,
            &["null_ids", "odd_names", "readable[orders]", "readable[returns]", "repeated"][..],
        ),
        (&["health"], "health", 2, &["database"]),
        (&["catalogue"], "catalogue", 0, &[]),
        (&["doctor"], "doctor", 1, &[]),
    ] {
        let server = OtlpServer::start();
        let program = process(env!("CARGO_BIN_EXE_embedded"), &server).args(arguments).env("TRACEPARENT", caller);
        let program = if code == 2 { program.env("TEST_DOWN", "1") } else { program };
        let ended = program.run();
        assert_eq!(ended.code(), Some(code), "{name}: {ended:?}");
        let spans = server.spans();
        let span = named(&spans, name);
        assert_eq!((span.trace_id[0], span.parent_span_id[0], span.kind()), (0x0a, 0xb7, SpanKind::Internal), "{name}");
        let status = span.status.as_ref().map(Status::code);
        assert_eq!(status, (code != 0).then_some(StatusCode::Error), "{name}: {span:#?}");
        let inside = names(&spans, span);
        assert!(checks.iter().all(|check| inside.contains(&(*check).to_owned())), "{name}: {inside:?}");
    }
}

#[test]
fn log_records_are_sampled_as_log_lines_are() {
    let server = OtlpServer::start();
    let ended = process(env!("CARGO_BIN_EXE_spans"), &server)
        .args(&["sampled"])
        .env("LOG_LEVEL", "INFO")
        .env("TRACING_ENABLED", "false")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let number = |attributes: &[KeyValue]| match &attributes.iter().find(|known| known.key == "left_out")?.value {
        Some(value) => match value.value {
            Some(Any::IntValue(number)) => Some(number),
            _ => None,
        },
        None => None,
    };
    let of_hot: Vec<_> =
        server.logs().into_iter().filter(|record| text(&record.attributes, "call") == Some("hot")).collect();
    let left_out: i64 = of_hot.iter().filter_map(|record| number(&record.attributes)).sum();
    assert!((4..200).contains(&of_hot.len()), "{}", of_hot.len());
    let summaries =
        of_hot.iter().filter(|record| format!("{:?}", record.body).contains("left out by sampling")).count();
    // Starts and ends of 1000 calls.
    let written = i64::try_from(of_hot.len() - summaries).unwrap();
    assert_eq!(left_out + written, 2000, "{of_hot:#?}");
}
