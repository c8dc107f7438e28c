//! Spans of `tracing` stand in the trace, with the right parents in both directions.

use obs_tests::process::Process;
use obs_tests::servers::OtlpServer;
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

fn parents(level: &str) -> (Vec<(String, String)>, OtlpServer) {
    parents_of(&[], level)
}

fn parents_of(arguments: &[&str], level: &str) -> (Vec<(String, String)>, OtlpServer) {
    let server = OtlpServer::start();
    let ended = Process::new(env!("CARGO_BIN_EXE_spans"))
        .args(arguments)
        .env("LOG_LEVEL", "ERROR")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("TRACING_LEVEL", level)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
        .run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    let spans = server.spans();
    let name = |id: &[u8]| spans.iter().find(|span| span.span_id == id).map_or("", |span| &span.name).to_owned();
    let mut parents: Vec<_> = spans.iter().map(|span| (span.name.clone(), name(&span.parent_span_id))).collect();
    parents.sort();
    (parents, server)
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let mut pairs: Vec<_> = expected.iter().map(|(name, parent)| ((*name).to_owned(), (*parent).to_owned())).collect();
    pairs.sort();
    pairs
}

#[test]
fn spans_of_tracing_and_annotated_functions_are_parents_of_each_other() {
    let (parents, server) = parents("info");
    let expected = [
        ("spans", ""),
        ("around", "spans"),
        ("step", "around"),
        ("in_library", "step"),
        ("inner", "in_library"),
        ("task", "spans"),
        ("in_task", "task"),
        ("inner", "in_task"),
        ("explicit", "spans"),
        ("child_of_explicit", "explicit"),
        ("inner", "child_of_explicit"),
    ];
    assert_eq!(parents, pairs(&expected));
    let spans = server.spans();
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "{spans:#?}");
    let attributes = |name: &str| format!("{:?}", spans.iter().find(|span| span.name == name).unwrap().attributes);
    assert!(attributes("around").contains("users"), "{}", attributes("around"));
    let library = attributes("in_library");
    assert!(library.contains("rows") && library.contains("[REDACTED]") && !library.contains("hunter2"), "{library}");
}

#[test]
fn spans_have_a_level_of_their_own() {
    let (debug, _) = parents("debug");
    assert!(debug.contains(&("below_the_level".to_owned(), "in_library".to_owned())), "{debug:?}");
    assert!(debug.contains(&("inner".to_owned(), "below_the_level".to_owned())), "{debug:?}");
    let (off, _) = parents("off");
    // Without its span, the task knows nothing of the trace, and its function begins one.
    let expected = [
        ("spans", ""),
        ("step", "spans"),
        ("inner", "step"),
        ("in_task", ""),
        ("inner", "in_task"),
        ("inner", "spans"),
    ];
    assert_eq!(off, pairs(&expected));
}

#[test]
fn a_span_that_handles_a_request_or_a_message_begins_a_trace() {
    let (parents, server) = parents_of(&["requests"], "info");
    let expected = [
        ("request", ""),
        ("step", "request"),
        ("in_library", "step"),
        ("inner", "in_library"),
        ("message", ""),
        ("inner", "message"),
        // A span of another kind begins none, and the function inside does.
        ("inner", ""),
    ];
    assert_eq!(parents, pairs(&expected));
    let spans = server.spans();
    let of = |name: &str| spans.iter().find(|span| span.name == name).unwrap();
    assert_eq!((of("request").kind(), of("message").kind()), (SpanKind::Server, SpanKind::Consumer));
    assert_eq!(of("request").status.as_ref().map(Status::code), Some(StatusCode::Error));
    assert_ne!(of("request").trace_id, of("message").trace_id);
}

#[test]
fn pools_and_streams_are_inside_of_the_span_in_which_they_were_made() {
    let (parents, server) = parents_of(&["pools"], "info");
    let mut expected = vec![("pools", ""), ("pool", "pools"), ("stream", "pools")];
    expected.extend([("in_pool", "pool"), ("inner", "in_pool")].repeat(4));
    expected.extend([("in_stream", "stream")].repeat(3));
    assert_eq!(parents, pairs(&expected));
    let spans = server.spans();
    assert!(spans.iter().all(|span| span.trace_id == spans[0].trace_id), "{spans:#?}");
}
