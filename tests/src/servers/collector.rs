//! A real OpenTelemetry Collector: Jaeger's binary with a configuration of its own. Metrics go to its Prometheus exporter, log
//! records to its debug exporter.

use std::net::SocketAddr;

use super::otlp_receiver::OtlpReceiver;
use crate::http;

/// A Collector that receives OTLP over HTTP and gRPC.
#[derive(Debug)]
pub struct Collector {
    receiver: OtlpReceiver,
}

impl Collector {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        Self { receiver: OtlpReceiver::start("the Collector", "/metrics", configuration) }
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

    /// The address of the metrics that it received, for a Prometheus.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.receiver.daemon.address()
    }

    /// The metrics that it received, in Prometheus' text format.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> String {
        http::get(&self.receiver.daemon.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// Its log so far, with the log records that it received.
    #[must_use]
    pub fn log(&self) -> String {
        self.receiver.daemon.log()
    }
}

fn configuration(prometheus: u16) -> String {
    format!(
        "service:
  pipelines:
    metrics: {{ receivers: [otlp], exporters: [prometheus] }}
    logs: {{ receivers: [otlp], exporters: [debug] }}
  telemetry:
    metrics: {{ level: none }}
exporters:
  prometheus: {{ endpoint: \"127.0.0.1:{prometheus}\", metric_expiration: 60m }}
  debug: {{ verbosity: detailed, sampling_initial: 1000000 }}
"
    )
}
