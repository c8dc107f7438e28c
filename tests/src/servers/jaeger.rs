//! A real Jaeger, with storage in memory.

use std::path::Path;

use serde_json::Value;

use super::otlp_receiver::OtlpReceiver;
use crate::{http, ports, wait};

/// A Jaeger that receives OTLP over HTTP and gRPC.
#[derive(Debug)]
pub struct Jaeger {
    receiver: OtlpReceiver,
}

impl Jaeger {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let configuration = |api| configuration(api, ports::free());
        Self { receiver: OtlpReceiver::start("jaeger", "/api/services", configuration) }
    }

    /// Starts one that receives over TLS, by the certificate in this folder, as [`certificates::make`](crate::certificates::make) writes it.
    #[must_use]
    #[track_caller]
    pub fn start_with_tls(certificates: &Path) -> Self {
        let configuration = |api| configuration(api, ports::free());
        Self { receiver: OtlpReceiver::start_with("jaeger", "/api/services", configuration, Some(certificates)) }
    }

    /// The endpoint of OTLP over that protocol, `grpc` or `http/protobuf`.
    #[must_use]
    pub fn url(&self, protocol: &str) -> String {
        if protocol == "grpc" { self.grpc_url() } else { self.http_url() }
    }

    /// The endpoint of OTLP over HTTP, as in `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn http_url(&self) -> String {
        self.receiver.http_url()
    }

    /// The endpoint of OTLP over gRPC.
    #[must_use]
    pub fn grpc_url(&self) -> String {
        self.receiver.grpc_url()
    }

    /// The services that it has spans of.
    #[must_use]
    #[track_caller]
    pub fn services(&self) -> Vec<String> {
        let answer = self.ask("/api/services", &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let names = answer["data"].as_array().cloned().unwrap_or_default();
        names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect()
    }

    /// The spans of a trace, as objects of OTLP, each with the attributes of its resource under `resource`. Empty if it does
    /// not know the trace.
    #[must_use]
    pub fn spans(&self, trace_id: &str) -> Vec<Value> {
        self.ask(&format!("/api/v3/traces/{trace_id}"), &[]).map(|answer| spans(&answer)).unwrap_or_default()
    }

    /// The spans of a service in all traces of the last hour, as [`spans`](Self::spans) gives them.
    #[must_use]
    pub fn spans_of_service(&self, service: &str) -> Vec<Value> {
        let answer = self.ask("/api/traces", &[("service", service), ("lookback", "1h"), ("limit", "100000")]);
        let found = answer.map(|answer| answer["data"].as_array().cloned().unwrap_or_default()).unwrap_or_default();
        let ids = found.iter().filter_map(|trace| trace["traceID"].as_str());
        ids.flat_map(|id| self.spans(id)).collect()
    }

    /// Waits until a trace has at least this many spans, and returns them.
    #[must_use]
    #[track_caller]
    pub fn wait_for_spans(&self, trace_id: &str, number: usize) -> Vec<Value> {
        let found = wait::poll(wait::LONG, || Some(self.spans(trace_id)).filter(|spans| spans.len() >= number));
        found.unwrap_or_else(|| panic!("{trace_id} has less than {number} spans: {:#?}", self.spans(trace_id)))
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.receiver.daemon.log()
    }

    fn ask(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, String> {
        let text = http::get(&self.receiver.daemon.url(path), query)?;
        serde_json::from_str(&text).map_err(|error| format!("{error}: {text}"))
    }
}

/// The spans in an answer of its API version 3.
fn spans(answer: &Value) -> Vec<Value> {
    let list = |value: &Value, name: &str| value[name].as_array().cloned().unwrap_or_default();
    let mut spans = Vec::new();
    for resource in list(&answer["result"], "resourceSpans") {
        for scope in list(&resource, "scopeSpans") {
            for mut span in list(&scope, "spans") {
                span["resource"] = resource["resource"]["attributes"].clone();
                spans.push(span);
            }
        }
    }
    spans
}

fn configuration(api: u16, query: u16) -> String {
    format!(
        "service:
  extensions: [jaeger_storage, jaeger_query]
  pipelines:
    traces: {{ receivers: [otlp], exporters: [jaeger_storage_exporter] }}
  telemetry:
    metrics: {{ level: none }}
extensions:
  jaeger_query:
    storage: {{ traces: memory }}
    http: {{ endpoint: \"127.0.0.1:{api}\" }}
    grpc: {{ endpoint: \"127.0.0.1:{query}\" }}
  jaeger_storage:
    backends:
      memory: {{ memory: {{ max_traces: 100000 }} }}
exporters:
  jaeger_storage_exporter: {{ trace_storage: memory }}
"
    )
}
