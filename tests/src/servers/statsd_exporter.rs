//! A real `statsd_exporter`, which reads `DogStatsD` and exposes Prometheus metrics.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use obs_runtime::catalogue::SECONDS;

use super::Daemon;
use crate::exposition::{Samples, Series};
use crate::{http, ports, tools, wait};

/// Its own counters of what it could not read.
const ERRORS: [&str; 4] = [
    "statsd_exporter_tag_errors_total",
    "statsd_exporter_sample_errors_total",
    "statsd_exporter_events_error_total",
    "statsd_exporter_events_conflict_total",
];

/// A `statsd_exporter` that listens to UDP and to a UNIX datagram socket.
#[derive(Debug)]
pub struct StatsdExporter {
    daemon: Daemon,
    udp: u16,
    socket: PathBuf,
}

impl StatsdExporter {
    /// Starts one with a socket in this folder. Its histograms have the buckets of durations.
    #[must_use]
    #[track_caller]
    pub fn start(folder: &Path) -> Self {
        let udp = ports::free_udp();
        Self::start_at(udp, &folder.join("statsd.socket"))
    }

    /// Starts one on this port and this socket.
    #[must_use]
    #[track_caller]
    pub fn start_at(udp: u16, socket: &Path) -> Self {
        let buckets: Vec<_> = SECONDS.iter().map(ToString::to_string).collect();
        let buckets = buckets.join(", ");
        let mapping = format!(
            "defaults:\n  observer_type: histogram\n  histogram_options:\n    buckets: [{buckets}]\nmappings: []\n"
        );
        let daemon = Daemon::start("statsd_exporter", "/-/ready", |folder, port| {
            let file = folder.join("mapping.yml");
            fs::write(&file, &mapping).expect("its configuration can be written");
            let mut command = Command::new(tools::go_server("statsd_exporter"));
            command
                .arg(format!("--statsd.mapping-config={}", file.display()))
                .arg(format!("--statsd.listen-udp=127.0.0.1:{udp}"))
                .arg("--statsd.listen-tcp=")
                .arg(format!("--statsd.listen-unixgram={}", socket.display()))
                .arg(format!("--web.listen-address=127.0.0.1:{port}"));
            command
        });
        Self { daemon, udp, socket: socket.to_owned() }
    }

    /// The address of its metrics.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.daemon.address()
    }

    /// Its UDP port.
    #[must_use]
    pub const fn udp_port(&self) -> u16 {
        self.udp
    }

    /// Its UNIX datagram socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// What it received, and its own metrics.
    #[must_use]
    #[track_caller]
    pub fn samples(&self) -> Samples {
        let text = http::get(&self.daemon.url("/metrics"), &[]);
        Samples::parse(&text.unwrap_or_else(|error| panic!("{error}\n{}", self.log())))
    }

    /// The sum over the series with this name and at least these labels; none when there is no such series.
    #[must_use]
    #[track_caller]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        self.samples().sum(name, labels)
    }

    /// Waits until the sum is `expected`.
    #[track_caller]
    pub fn wait_for(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        let found = wait::poll(wait::LONG, || (self.sum(name, labels) == Some(expected)).then_some(()));
        let samples = || format!("{name}{labels:?} is {:?}: {:#?}", self.sum(name, labels), self.samples());
        assert!(found.is_some(), "{expected} expected, {}", samples());
    }

    /// What it could not read, by its own counters.
    #[must_use]
    #[track_caller]
    pub fn errors(&self) -> Vec<(Series, f64)> {
        let samples = self.samples();
        // The others have a label and appear with their first error.
        assert!(samples.sum(ERRORS[0], &[]).is_some(), "no counter {}: {samples:#?}", ERRORS[0]);
        let is_error = |name: &str| ERRORS.contains(&name);
        let errors = samples.into_inner().into_iter().filter(|((name, _), value)| is_error(name) && *value != 0.0);
        errors.collect()
    }

    /// Its log so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}
