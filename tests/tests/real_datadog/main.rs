//! What a real reader of DogStatsD makes of what Datadog is sent: `statsd_exporter`, whose own counters of what it could not
//! read have to stay zero. It knows no service checks and no events: see `datadog` for these. And Datadog's own.

#[path = "../real_prometheus/everything.rs"]
mod everything;
mod hostile;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod second_opinion;

use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use obs_runtime::catalogue::{FAMILIES, Kind, SECONDS, Unit};
use obs_runtime::snapshot::{Labels, SeriesValue, Snapshot};
use obs_runtime::{Level, Observability, ObservabilityBuilder};
use obs_tests::process::Process;
use obs_tests::servers::StatsdExporter;
use obs_tests::servers::statsd_exporter::sum;

use everything::{HOSTILE, always_fails, work};

/// Only one of these tests at a time has obs initialised.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends to its socket, at flushes only, metrics only.
fn to(exporter: &StatsdExporter) -> ObservabilityBuilder {
    Observability::builder()
        .without_environment()
        .service_name("etl 1")
        .environment("test")
        .version("1.2.3")
        .log_level(Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agent(format!("unix://{}", exporter.socket().display()).parse().unwrap())
        .datadog_service_checks(false)
        // Thousands of series are much for a debug build.
        .flush_timeout(Duration::from_mins(1))
        .datadog_interval(Duration::from_hours(1))
}

/// A label's value as Datadog takes it.
fn as_a_tag(value: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
    let text: String = value.chars().map(|letter| if kept(letter) { letter } else { '_' }).collect();
    text.strip_suffix(':').map(|text| format!("{text}_")).unwrap_or(text)
}

/// The labels under which a series is found there.
fn as_tags(labels: &Labels) -> Vec<(String, String)> {
    let own = labels.iter().filter(|(_, value)| !value.is_empty());
    let own = own.map(|(name, value)| (if name == "le" { "tag_le" } else { name }.to_owned(), as_a_tag(value)));
    let constant = [("service", "etl_1"), ("env", "test"), ("version", "1.2.3")];
    own.chain(constant.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// Metrics of obs itself, which move by being sent.
fn moves_by_being_sent(name: &str) -> bool {
    name.starts_with("obs.")
}

#[allow(clippy::cast_precision_loss)]
fn assert_arrived(exporter: &StatsdExporter, measured: &Snapshot) {
    let seen = exporter.series();
    for found in measured.families.iter().filter(|found| !moves_by_being_sent(found.family.name)) {
        let name = found.family.name.replace('.', "_");
        for series in &found.series {
            let labels = as_tags(&series.labels);
            let labels: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            let there = |name: &str| sum(&seen, name, &labels);
            match &series.value {
                SeriesValue::Number(value) => assert_eq!(there(&name), *value, "{name}{labels:?}"),
                SeriesValue::Histogram { counts, sum } => {
                    let total: u64 = counts.iter().sum();
                    assert_eq!(there(&format!("{name}_count")), total as f64, "{name}{labels:?}");
                    let told = there(&format!("{name}_sum"));
                    assert!((told - sum).abs() <= sum * 1e-9, "{name}{labels:?}: {told}, not {sum}");
                    if found.family.unit != Unit::Seconds {
                        continue;
                    }
                    // It was told the buckets of durations: each observation is in the one in which it was.
                    let mut cumulative = 0;
                    for (bound, count) in SECONDS.iter().zip(counts) {
                        cumulative += count;
                        let bound = bound.to_string();
                        let bucket = [labels.clone(), vec![("le", &*bound)]].concat();
                        let seen = self::sum(&seen, &format!("{name}_bucket"), &bucket);
                        assert_eq!(seen, cumulative as f64, "{name}{bucket:?}");
                    }
                }
                value => panic!("{name}{labels:?}: {value:?}"),
            }
        }
    }
}

#[test]
fn every_family_arrives_with_its_labels() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let guard = to(&exporter).max_series(20).init().unwrap();
    work(HOSTILE);
    assert!(always_fails().is_err());
    guard.flush();
    let measured = obs_runtime::metrics();
    guard.flush();
    drop(guard);
    let still: Vec<_> = FAMILIES.iter().filter(|family| measured.family(family.name).is_none()).collect();
    assert!(still.is_empty(), "{still:#?}");
    exporter.wait_for("cli_command_failure", &[("command", "always-fails")], 1.0);
    assert_arrived(&exporter, &measured);
    let seen = exporter.series();
    for family in FAMILIES {
        let end = if family.kind == Kind::Histogram { "_count" } else { "" };
        let name = family.name.replace('.', "_") + end;
        let constant = [("service", "etl_1"), ("env", "test"), ("version", "1.2.3")];
        let bears = |label: &str, value: &str| {
            seen.iter().any(|((seen, labels), _)| *seen == name && labels.get(label).is_some_and(|is| is == value))
        };
        assert!(constant.iter().all(|(label, value)| bears(label, value)), "{name}");
        let labels = |label: &&str| seen.iter().any(|((seen, labels), _)| *seen == name && labels.contains_key(*label));
        assert!(family.labels.iter().all(labels), "{name} without one of {:?}", family.labels);
    }
    let dropped = exporter.sum("obs_dropped", &[("reason", "cardinality")]);
    assert_eq!(Some(dropped), measured.value("obs.dropped", &[("reason", "cardinality")]));
    assert_eq!(exporter.errors(), [].into());
}

/// Runs the job in each way so many times, by turns to each of the sockets; each run is a service of its own.
/// Says how long the fastest took.
fn run_jobs(sockets: &[String], runs: usize) -> (Vec<String>, Duration) {
    let (mut services, mut fastest) = (Vec::new(), Duration::MAX);
    for (run, socket) in sockets.iter().cycle().take(runs).enumerate() {
        for way in ["return", "error", "panic", "exit", "process-exit", "TERM", "INT"] {
            let service = format!("{way}-{run}");
            let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&[way]).env("PROMETHEUS_PORT", "0");
            let job = job.env("LOG_LEVEL", "CRITICAL").env("DATADOG_ENABLED", "1").env("DD_DOGSTATSD_URL", socket);
            let ended = job.env("SERVICE_NAME", &service).run();
            assert!(!ended.stderr.contains("failed to flush"), "{service}: {}", ended.stderr);
            services.push(service);
            fastest = fastest.min(ended.duration);
        }
    }
    (services, fastest)
}

#[test]
fn a_job_of_a_few_milliseconds_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let sockets = [
        format!("udp://127.0.0.1:{}", exporter.udp_port()),
        format!("unix://{}", exporter.socket().display()),
        format!("unixgram://{}", exporter.socket().display()),
    ];
    let (services, fastest) = run_jobs(&sockets, 20);
    assert!(fastest < Duration::from_millis(50), "{fastest:?}");
    exporter.wait_for("operation_success", &[("operation", "step")], 14_000.0);
    let seen = exporter.series();
    for service in &services {
        let of = |name: &str, label: (&str, &str)| sum(&seen, name, &[("service", service), label]);
        let step = ("operation", "step");
        assert_eq!(of("operation_success", step), 100.0, "{service}");
        assert_eq!(of("operation_duration_seconds_count", step), 100.0, "{service}");
        assert_eq!(of("short_lived_rows", ("table", "users")), 100.0, "{service}");
        assert_eq!(sum(&seen, "short_lived_batch_rows_count", &[("service", service)]), 100.0, "{service}");
        assert_eq!(of("cli_command_started", ("command", "short-lived")), 1.0, "{service}");
    }
    assert_eq!(exporter.errors(), [].into());
}

#[test]
fn a_server_that_is_started_again_gets_what_came_meanwhile() {
    let _alone = alone();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let (port, socket) = (exporter.udp_port(), exporter.socket().to_owned());
    let guard = to(&exporter).init().unwrap();
    obs_runtime::track_feature("before");
    guard.flush();
    exporter.wait_for("cli_feature_usage", &[("feature", "before")], 1.0);
    drop(exporter);
    obs_runtime::track_feature("meanwhile");
    guard.flush();
    remove(&socket);
    obs_runtime::track_feature("meanwhile");
    guard.flush();
    let exporter = StatsdExporter::start_at(port, &socket);
    obs_runtime::track_feature("after");
    drop(guard);
    exporter.wait_for("cli_feature_usage", &[("feature", "after")], 1.0);
    assert_eq!(exporter.sum("cli_feature_usage", &[("feature", "meanwhile")]), 2.0);
    assert_eq!(exporter.sum("cli_feature_usage", &[("feature", "before")]), 0.0, "it went to the server before");
    assert_eq!(exporter.sum("obs_dropped", &[("sink", "datadog"), ("reason", "flush")]), 2.0);
    assert_eq!(exporter.errors(), [].into());
}

/// A server that is killed leaves its socket behind.
fn remove(socket: &Path) {
    std::fs::remove_file(socket).unwrap();
}
