//! A real `statsd_exporter`, which reads DogStatsD and shows what it has read as Prometheus metrics.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use obs_runtime::catalogue::SECONDS;

use super::Daemon;
use crate::{http, ports, tools, wait};

/// How long what was sent may take to show: it is there at once where nothing else runs.
const SHOWN: Duration = Duration::from_secs(30);

/// Its own counters of what it could not read: all of them have to stay zero.
const ERRORS: [&str; 4] = [
    "statsd_exporter_sample_errors",
    "statsd_exporter_tag_errors",
    "statsd_exporter_events_error",
    "statsd_exporter_events_conflict",
];

/// A `statsd_exporter` that listens to UDP and to a UNIX datagram socket.
#[derive(Debug)]
pub struct StatsdExporter {
    daemon: Daemon,
    udp: u16,
    socket: PathBuf,
}

/// One of its series: the metric's name and its labels.
pub type Series = (String, BTreeMap<String, String>);

impl StatsdExporter {
    /// Starts one, with a socket in that folder. What it observes it puts into the buckets of durations.
    #[must_use]
    #[track_caller]
    pub fn start(folder: &Path) -> Self {
        let udp = ports::free_udp();
        Self::start_at(udp, &folder.join("statsd.socket"))
    }

    /// Starts one at the place where another one was.
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

    /// The port at which it takes UDP.
    #[must_use]
    pub const fn udp_port(&self) -> u16 {
        self.udp
    }

    /// Its UNIX datagram socket.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where Prometheus could scrape it.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.daemon.address()
    }

    /// Every series that it was sent and what it counts of itself.
    #[must_use]
    #[track_caller]
    pub fn series(&self) -> BTreeMap<Series, f64> {
        let text =
            http::get(&self.daemon.url("/metrics"), &[]).unwrap_or_else(|error| panic!("{error}\n{}", self.log()));
        let samples = text.lines().filter(|line| !line.starts_with('#'));
        samples.map(|line| sample(line).unwrap_or_else(|| panic!("not a sample: {line}"))).collect()
    }

    /// The sum of the series of that name which bear these labels, and maybe more.
    #[must_use]
    #[track_caller]
    pub fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        sum(&self.series(), name, labels)
    }

    /// Waits until that sum is this one.
    #[track_caller]
    pub fn wait_for(&self, name: &str, labels: &[(&str, &str)], expected: f64) {
        let seen = wait::poll(SHOWN, || (self.sum(name, labels) == expected).then_some(()));
        let told = || format!("{name}{labels:?} is {}: {:#?}", self.sum(name, labels), self.series());
        assert!(seen.is_some(), "{expected} expected, {}", told());
    }

    /// How many packets it took.
    #[must_use]
    pub fn packets(&self) -> f64 {
        self.sum("statsd_exporter_udp_packets_total", &[]) + self.sum("statsd_exporter_unixgram_packets_total", &[])
    }

    /// What it could not read, by its own counters; empty when all is well.
    #[must_use]
    pub fn errors(&self) -> BTreeMap<Series, f64> {
        let wrong = |name: &str| ERRORS.iter().any(|error| name.strip_suffix("_total") == Some(error));
        self.series().into_iter().filter(|((name, _), value)| wrong(name) && *value != 0.0).collect()
    }

    /// What it said so far.
    #[must_use]
    pub fn log(&self) -> String {
        self.daemon.log()
    }
}

/// The sum of the series of that name which bear these labels, and maybe more.
#[must_use]
pub fn sum(series: &BTreeMap<Series, f64>, name: &str, labels: &[(&str, &str)]) -> f64 {
    let bears = |seen: &BTreeMap<String, String>| {
        labels.iter().all(|(label, value)| seen.get(*label).is_some_and(|seen| seen == value))
    };
    series.iter().filter(|((seen, labels), _)| seen == name && bears(labels)).map(|(_, value)| value).sum()
}

/// A line of Prometheus' text format.
fn sample(line: &str) -> Option<(Series, f64)> {
    let (name, mut rest) = line.split_at(line.find(['{', ' '])?);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (label, quoted) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = unescaped(quoted)?;
            labels.insert(label.to_owned(), value);
            rest = after;
        }
        rest = &rest[1..];
    }
    Some(((name.to_owned(), labels), rest.trim().parse().ok()?))
}

/// The text up to the closing quote, and what comes after that.
fn unescaped(quoted: &str) -> Option<(String, &str)> {
    let mut text = String::new();
    let mut characters = quoted.char_indices();
    loop {
        match characters.next()? {
            (end, '"') => return Some((text, &quoted[end + 1..])),
            (_, '\\') => match characters.next()?.1 {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            (_, other) => text.push(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_read_with_all_its_escapes() {
        let labels = BTreeMap::from([("a", "x,y}\\\"\n"), ("b", "2")].map(|(name, value)| (name.into(), value.into())));
        assert_eq!(sample("m{a=\"x,y}\\\\\\\"\\n\",b=\"2\"} 1.5e+06"), Some((("m".into(), labels), 1.5e6)));
        assert_eq!(sample("m 3"), Some((("m".into(), BTreeMap::new()), 3.0)));
        assert_eq!(sample("m{a=\"x} 3"), None);
    }
}
