//! Traces, read back from a real Jaeger.

mod endings;
mod kept;
mod tls;
mod trees;

use obs_tests::process::Process;
use obs_tests::servers::Jaeger;
use serde_json::Value;

/// The protocols of OTLP.
const PROTOCOLS: [&str; 2] = ["http/protobuf", "grpc"];

/// A program whose traces go to that Jaeger, all of them.
fn to(jaeger: &Jaeger, protocol: &str, service: &str, process: Process) -> Process {
    process
        .env("SERVICE_NAME", service)
        .env("LOG_LEVEL", "INFO")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", jaeger.url(protocol))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The name of each span and the name of its parent, sorted.
fn parents(spans: &[Value]) -> Vec<(String, String)> {
    let name_of = |id: &Value| spans.iter().find(|span| span["spanId"] == *id).map_or("", |span| text(&span["name"]));
    let mut parents: Vec<_> =
        spans.iter().map(|span| (text(&span["name"]).to_owned(), name_of(&span["parentSpanId"]).to_owned())).collect();
    parents.sort();
    parents
}

/// An attribute of a span, as text.
fn attribute(span: &Value, key: &str) -> Option<String> {
    let attributes = span["attributes"].as_array()?;
    let value = &attributes.iter().find(|attribute| attribute["key"] == key)?["value"];
    let (_, value) = value.as_object()?.iter().next()?;
    Some(value.as_str().map_or_else(|| value.to_string(), str::to_owned))
}

fn named<'s>(spans: &'s [Value], name: &str) -> &'s Value {
    spans.iter().find(|span| span["name"] == name).unwrap_or_else(|| panic!("no span {name}: {spans:#?}"))
}
