//! Jaeger's binary, which is an OpenTelemetry Collector: what it does follows from its configuration.

use std::cell::Cell;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::Daemon;
use crate::{ports, tools};

/// A process that receives OTLP over HTTP and gRPC.
#[derive(Debug)]
pub struct OtlpReceiver {
    /// The process.
    pub daemon: Daemon,
    http: u16,
    grpc: u16,
    scheme: &'static str,
}

impl OtlpReceiver {
    /// Starts one and waits until `ready` is answered. `configuration` gets the daemon's port; the part about receivers is added to it.
    #[track_caller]
    pub fn start(name: &str, ready: &str, configuration: impl Fn(u16) -> String) -> Self {
        Self::start_with(name, ready, configuration, None)
    }

    /// The same with TLS, by the certificate in this folder, as [`certificates::make`](crate::certificates::make) writes it.
    #[track_caller]
    pub fn start_with(
        name: &str,
        ready: &str,
        configuration: impl Fn(u16) -> String,
        certificates: Option<&Path>,
    ) -> Self {
        let receivers = Cell::new((0, 0));
        let daemon = Daemon::start(name, ready, |folder, port| {
            let (http, grpc) = (ports::free(), ports::free());
            receivers.set((http, grpc));
            let file = folder.join("configuration.yml");
            let text = configuration(port) + &receiving(http, grpc, certificates);
            fs::write(&file, text).expect("its configuration can be written");
            let mut command = Command::new(tools::go_server("jaeger"));
            command.arg("--config").arg(file);
            command
        });
        let (http, grpc) = receivers.get();
        Self { daemon, http, grpc, scheme: if certificates.is_some() { "https" } else { "http" } }
    }

    /// The endpoint of OTLP over HTTP, as in `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub fn http_url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.http)
    }

    /// The endpoint of OTLP over gRPC.
    pub fn grpc_url(&self) -> String {
        format!("{}://127.0.0.1:{}", self.scheme, self.grpc)
    }
}

fn receiving(http: u16, grpc: u16, certificates: Option<&Path>) -> String {
    let tls = certificates.map_or_else(String::new, |folder| {
        let file = |name: &str| folder.join(name).display().to_string();
        format!(", tls: {{ cert_file: \"{}\", key_file: \"{}\" }}", file("server.pem"), file("server.key"))
    });
    format!(
        "receivers:
  otlp:
    protocols:
      http: {{ endpoint: \"127.0.0.1:{http}\"{tls} }}
      grpc: {{ endpoint: \"127.0.0.1:{grpc}\"{tls} }}
"
    )
}
