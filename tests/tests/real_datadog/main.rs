//! The Datadog exporter against real readers of `DogStatsD`: `statsd_exporter`, which has no service checks and no events, and
//! Datadog's own agent. What is generated for Datadog, by the models of its own client.

#[path = "../real_prometheus/all_families.rs"]
mod all_families;
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
mod datadog_agent;
mod escaping;
mod generated;

use std::path::Path;
use std::time::Duration;

use obs_runtime::catalogue::{FAMILIES, Family, Kind, SECONDS, Unit};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::snapshot::{FamilySnapshot, Labels, SeriesValue, Snapshot};
use obs_runtime::{Level, Observability, ObservabilityBuilder};
use obs_tests::exclusive;
use obs_tests::exposition::has_labels;
use obs_tests::process::Process;
use obs_tests::servers::StatsdExporter;

use all_families::{HOSTILE, always_fails, work};

/// Sends metrics to the socket of this exporter, at flushes only.
fn builder(exporter: &StatsdExporter) -> ObservabilityBuilder {
    Observability::builder()
        .without_environment()
        .service_name("etl 1")
        .environment("test")
        .version("1.2.3")
        .commit("5f3c1e9")
        .log_level(Level::Critical)
        .prometheus_port(0)
        .datadog_enabled(true)
        .datadog_agent(format!("unix://{}", exporter.socket().display()).parse().unwrap())
        .datadog_service_checks(false)
        // A debug build needs time for thousands of series.
        .flush_timeout(Duration::from_mins(1))
        .datadog_interval(Duration::from_hours(1))
        .defaults(|config| {
            config.budgets = vec![Budget::new("nightly", 50.0, BudgetPeriod::Day)];
            config.state_dir = Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("real_datadog"));
        })
}

/// A label's value as a tag of Datadog.
fn as_a_tag(value: &str) -> String {
    let kept = |letter: char| letter.is_alphanumeric() || "_-./:".contains(letter);
    let text: String = value.chars().map(|letter| if kept(letter) { letter } else { '_' }).collect();
    text.strip_suffix(':').map(|text| format!("{text}_")).unwrap_or(text)
}

/// The labels of a series in `statsd_exporter`.
fn as_tags(labels: &Labels) -> Vec<(String, String)> {
    let own = labels.iter().filter(|(_, value)| !value.is_empty());
    let own = own.map(|(name, value)| (if name == "le" { "tag_le" } else { name }.to_owned(), as_a_tag(value)));
    let constant = [("service", "etl_1"), ("env", "test"), ("version", "1.2.3")];
    own.chain(constant.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
}

/// Metrics of obs itself, which sending changes.
fn changes_by_sending(name: &str) -> bool {
    name.starts_with("obs.")
}

/// Metrics that the agent measures itself.
fn is_of_the_agent(family: &Family) -> bool {
    family.name.starts_with("process.")
}

#[allow(clippy::cast_precision_loss)]
fn assert_arrived(exporter: &StatsdExporter, measured: &Snapshot) {
    let samples = exporter.samples();
    let sent = |found: &&FamilySnapshot| !changes_by_sending(found.family.name) && !is_of_the_agent(found.family);
    for found in measured.families.iter().filter(sent) {
        let name = found.family.name.replace('.', "_");
        for series in &found.series {
            let labels = as_tags(&series.labels);
            let labels: Vec<_> = labels.iter().map(|(name, value)| (&**name, &**value)).collect();
            let received = |name: &str| samples.sum(name, &labels);
            match &series.value {
                // A counter that has not stepped is not sent.
                SeriesValue::Number(value) if *value == 0.0 => {
                    assert_eq!(received(&name).unwrap_or_default(), 0.0, "{name}{labels:?}");
                }
                SeriesValue::Number(value) => assert_eq!(received(&name), Some(*value), "{name}{labels:?}"),
                SeriesValue::Histogram { counts, sum } => {
                    let total: u64 = counts.iter().sum();
                    assert_eq!(received(&format!("{name}_count")), Some(total as f64), "{name}{labels:?}");
                    let received_sum = received(&format!("{name}_sum")).unwrap();
                    assert!((received_sum - sum).abs() <= sum * 1e-9, "{name}{labels:?}: {received_sum}, not {sum}");
                    if found.family.unit != Unit::Seconds {
                        continue;
                    }
                    // The exporter has the buckets of durations.
                    let mut cumulative = 0;
                    for (bound, count) in SECONDS.iter().zip(counts) {
                        cumulative += count;
                        let bound = bound.to_string();
                        let bucket = [labels.clone(), vec![("le", &*bound)]].concat();
                        let received = samples.sum(&format!("{name}_bucket"), &bucket);
                        assert_eq!(received, Some(cumulative as f64), "{name}{bucket:?}");
                    }
                }
                value => panic!("{name}{labels:?}: {value:?}"),
            }
        }
    }
}

#[test]
fn every_family_arrives_with_its_labels() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let guard = builder(&exporter).max_series(20).init().unwrap();
    work(HOSTILE);
    assert!(always_fails().is_err());
    guard.flush();
    let measured = obs_runtime::metrics();
    guard.flush();
    drop(guard);
    let missing: Vec<_> = FAMILIES.iter().filter(|family| measured.family(family.name).is_none()).collect();
    assert!(missing.is_empty(), "{missing:#?}");
    exporter.wait_for("cli_command_failure", &[("command", "always-fails")], 1.0);
    assert_arrived(&exporter, &measured);
    let samples = exporter.samples();
    // A counter that has not stepped is not sent.
    for family in FAMILIES.iter().filter(|family| !is_of_the_agent(family) && family.name != "obs.flush.failed") {
        let end = if family.kind == Kind::Histogram { "_count" } else { "" };
        let name = family.name.replace('.', "_") + end;
        let constant = [("service", "etl_1"), ("env", "test"), ("version", "1.2.3")];
        let series = || samples.iter().filter(|((found, _), _)| *found == name).map(|((_, labels), _)| labels);
        assert!(series().all(|labels| has_labels(labels, &constant)) && series().count() > 0, "{name}");
        let occurs = |label: &&str| series().any(|labels| labels.contains_key(*label));
        assert!(family.labels.iter().all(occurs), "{name} without one of {:?}", family.labels);
    }
    let dropped = exporter.sum("obs_dropped", &[("reason", "cardinality")]);
    assert_eq!(dropped, measured.value("obs.dropped", &[("reason", "cardinality")]));
    assert_eq!(exporter.errors(), []);
}

/// Runs the job on every exit path this many times, with the sockets in turn. Each run is a service of its own.
fn run_jobs(sockets: &[String], runs: usize) -> Vec<String> {
    let mut services = Vec::new();
    for (run, socket) in sockets.iter().cycle().take(runs).enumerate() {
        for way in ["return", "error", "panic", "exit", "process-exit", "TERM", "INT"] {
            let service = format!("{way}-{run}");
            let job = Process::new(env!("CARGO_BIN_EXE_short-lived")).args(&[way]).env("PROMETHEUS_PORT", "0");
            let job = job.env("LOG_LEVEL", "CRITICAL").env("DATADOG_ENABLED", "1").env("DD_DOGSTATSD_URL", socket);
            let ended = job.env("SERVICE_NAME", &service).run();
            assert!(!ended.stderr.contains("failed to flush"), "{service}: {}", ended.stderr);
            services.push(service);
        }
    }
    services
}

#[test]
fn a_job_of_a_few_milliseconds_loses_and_duplicates_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let sockets = [
        format!("udp://127.0.0.1:{}", exporter.udp_port()),
        format!("unix://{}", exporter.socket().display()),
        format!("unixgram://{}", exporter.socket().display()),
    ];
    let services = run_jobs(&sockets, 20);
    exporter.wait_for("operation_success", &[("operation", "step")], 14_000.0);
    let samples = exporter.samples();
    for service in &services {
        let of = |name: &str, label: (&str, &str)| samples.sum(name, &[("service", service), label]);
        let step = ("operation", "step");
        assert_eq!(of("operation_success", step), Some(100.0), "{service}");
        assert_eq!(of("operation_duration_seconds_count", step), Some(100.0), "{service}");
        assert_eq!(of("short_lived_rows", ("table", "users")), Some(100.0), "{service}");
        assert_eq!(samples.sum("short_lived_batch_rows_count", &[("service", service)]), Some(100.0), "{service}");
        assert_eq!(of("cli_command_started", ("command", "short-lived")), Some(1.0), "{service}");
    }
    assert_eq!(exporter.errors(), []);
}

#[test]
fn a_restarted_server_gets_what_was_recorded_meanwhile() {
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let exporter = StatsdExporter::start(folder.path());
    let (port, socket) = (exporter.udp_port(), exporter.socket().to_owned());
    let guard = builder(&exporter).init().unwrap();
    obs_runtime::track_feature("before");
    guard.flush();
    exporter.wait_for("cli_feature_usage", &[("feature", "before")], 1.0);
    drop(exporter);
    obs_runtime::track_feature("meanwhile");
    guard.flush();
    // A server that is killed leaves its socket behind.
    std::fs::remove_file(&socket).unwrap();
    obs_runtime::track_feature("meanwhile");
    guard.flush();
    let exporter = StatsdExporter::start_at(port, &socket);
    obs_runtime::track_feature("after");
    drop(guard);
    exporter.wait_for("cli_feature_usage", &[("feature", "after")], 1.0);
    assert_eq!(exporter.sum("cli_feature_usage", &[("feature", "meanwhile")]), Some(2.0));
    assert_eq!(exporter.sum("cli_feature_usage", &[("feature", "before")]), None, "the first server got it");
    assert_eq!(exporter.sum("obs_flush_failed", &[("sink", "datadog")]), Some(2.0));
    assert_eq!(exporter.errors(), []);
}
