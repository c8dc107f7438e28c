//! A real OpenTelemetry Collector: Jaeger's binary with a configuration of its own. Metrics go to its Prometheus exporter, log
//! records to its debug exporter.

use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;

use super::Daemon;
use crate::{http, ports, tools};

/// A Collector that receives OTLP over HTTP and gRPC.
#[derive(Debug)]
pub struct Collector {
    daemon: Daemon,
    http: u16,
    grpc: u16,
}

impl Collector {
    /// Starts one.
    #[must_use]
    #[track_caller]
    pub fn start() -> Self {
        let receivers = Cell::new((0, 0));
        let daemon = Daemon::start("the Collector", "/metrics", |folder, port| {
            let (http, grpc) = (ports::free(), ports::free());
            receivers.set((http, grpc));
            let file = folder.join("collector.yml");
            fs::write(&file, configuration(http, grpc, port)).expect("its configuration can be written");
            let mut command = Command::new(tools::go_server("jaeger"));
            command.arg("--config").arg(file);
            command
        });
        let (http, grpc) = receivers.get();
        Self { daemon, http, grpc }
    }

    /// The endpoint of OTLP over HTTP, as in `OTEL_EXPORTER_OTLP_ENDPOINT`.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http)
    }

    /// The endpoint of OTLP over gRPC.
    #[must_use]
    pub fn grpc_url(&self) -> String {
        format!("http://127.0.0.1:{}", self.grpc)
    }

    /// The address of the metrics that it received, for a Prometheus.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.daemon.address()
    }

    /// The metrics that it received, in Prometheus' text format.
    #[must_use]
    #[track_caller]
    pub fn metrics(&self) -> String {
        http::get(&self.daemon.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.log()))
    }

    /// Its log so far, with the log records that it received.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

fn configuration(http: u16, grpc: u16, prometheus: u16) -> String {
    format!(
        "service:
  pipelines:
    metrics: {{ receivers: [otlp], exporters: [prometheus] }}
    logs: {{ receivers: [otlp], exporters: [debug] }}
  telemetry:
    metrics: {{ level: none }}
receivers:
  otlp:
    protocols:
      http: {{ endpoint: \"127.0.0.1:{http}\" }}
      grpc: {{ endpoint: \"127.0.0.1:{grpc}\" }}
exporters:
  prometheus: {{ endpoint: \"127.0.0.1:{prometheus}\", metric_expiration: 60m }}
  debug: {{ verbosity: detailed, sampling_initial: 1000000 }}
"
    )
}
