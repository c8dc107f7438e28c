//! Servers on loopback: real ones, each with a temporary folder of its own, and scripted ones. They stop on drop.

mod alertmanager;
mod bigquery_emulator;
mod bugsink;
mod collector;
mod datadog_agent;
mod datadog_api;
mod jaeger;
mod loopback;
mod node_exporter;
mod otlp;
mod otlp_receiver;
mod prometheus;
mod pushgateway;
pub mod scripted_bigquery;
mod sentry;
mod statsd_exporter;

pub use alertmanager::Alertmanager;
pub use bigquery_emulator::BigQueryEmulator;
pub use bugsink::{Bugsink, Project};
pub use collector::Collector;
pub use datadog_agent::DatadogAgentLog;
pub use datadog_api::{API_KEY, ApiRequest, DatadogApi};
pub use jaeger::Jaeger;
pub use node_exporter::NodeExporter;
pub use otlp::{OtlpAnswer, OtlpServer};
pub use prometheus::{Prometheus, Target};
pub use pushgateway::Pushgateway;
pub use sentry::{Answer, SentryServer, envelope_items};
pub use statsd_exporter::StatsdExporter;

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::{http, ports, wait};

/// How long a server may take to start.
const START: Duration = Duration::from_mins(1);

/// How many ports are tried when another process takes them first.
const ATTEMPTS: u32 = 5;

/// The process of a server.
#[derive(Debug)]
pub struct Daemon {
    child: Child,
    port: u16,
    folder: TempDir,
}

impl Daemon {
    /// Starts a server and waits until `ready` is answered with status 200. `command` gets its folder and port.
    #[track_caller]
    pub fn start(name: &str, ready: &str, command: impl Fn(&Path, u16) -> Command) -> Self {
        for _ in 0..ATTEMPTS {
            if let Some(daemon) = Self::try_start(name, ready, &command) {
                return daemon;
            }
        }
        panic!("{name} found its port taken {ATTEMPTS} times")
    }

    #[track_caller]
    fn try_start(name: &str, ready: &str, command: impl Fn(&Path, u16) -> Command) -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        let port = ports::free();
        let log = File::create(folder.path().join("log")).expect("a log file can be made");
        let child = command(folder.path(), port)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file can be shared"))
            .stderr(log)
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let mut daemon = Self { child, port, folder };
        let ready = daemon.url(ready);
        wait::until(&format!("an answer of {name} at {ready}"), START, || {
            if let Ok(Some(status)) = daemon.child.try_wait() {
                let log = daemon.log();
                assert!(log.contains("address already in use"), "{name} ended with {status}:\n{log}");
                return Some(false);
            }
            http::get(&ready, &[]).is_ok().then_some(true)
        })
        .then_some(daemon)
    }

    /// Stops it. Its address stays reserved for [`start_again`](Self::start_again).
    pub fn stop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Starts it again at its address, after [`stop`](Self::stop), and waits as [`start`](Self::start) does.
    #[track_caller]
    pub fn start_again(&mut self, name: &str, ready: &str, command: impl Fn(&Path, u16) -> Command) {
        self.child = command(self.folder.path(), self.port)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{name} does not start: {error}"));
        let ready = self.url(ready);
        wait::until(&format!("an answer of {name} at {ready}"), START, || http::get(&ready, &[]).ok());
    }

    /// Its address.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        ([127, 0, 0, 1], self.port).into()
    }

    /// The URL of a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
    }
}
