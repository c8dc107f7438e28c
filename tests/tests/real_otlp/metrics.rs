//! The metrics that a Collector shows to Prometheus are those of `/metrics` of the same process: names, kinds, descriptions,
//! labels, values and buckets, for each temporality and protocol.

use std::collections::BTreeMap;
use std::path::Path;

use obs_runtime::catalogue::FAMILIES;
use obs_tests::exposition::Series;
use obs_tests::process::{Process, Running};
use obs_tests::servers::Collector;
use obs_tests::{http, prometheus_client};

/// The only family that a Collector names otherwise: it moves the word `total` to the end.
const RENAMED: (&str, &str) = ("bigquery_cost_usd_total", "bigquery_total_cost_usd_total");

/// Families that deliveries and the operating system change all the time, of which only names and labels are compared.
const CHANGING: [&str; 5] =
    ["process_", "obs_flush_last_duration", "obs_flush_max_duration", "obs_last_success", "obs_queue_length"];

/// A process that records every family, and sends it to this Collector.
fn start(collector: &Collector, state: &Path) -> Process {
    Process::new(env!("CARGO_BIN_EXE_every-family"))
        .env("PROMETHEUS_PORT", "0")
        .env("LOG_LEVEL", "CRITICAL")
        .env("HEALTH_CHECK_INTERVAL_SECONDS", "86400")
        .env("SERVICE_NAME", "etl 1")
        .env("ENVIRONMENT", "test")
        .env("OBS_MAX_SERIES", "20")
        .env("OBS_BUDGETS", "nightly=50USD/day")
        .env("OBS_STATE_DIR", state)
        .env("OBS_FLUSH_TIMEOUT", "60s")
        .env("OTEL_METRICS_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.http_url())
}

/// Lets it record everything once more.
fn work(process: &mut Running, number: &str) {
    process.write_line(number);
    let done = format!("done {number}");
    process.wait_for_output("it is done", |line| (line == done).then_some(()));
}

/// Samples without the labels that a Collector adds.
fn samples(text: &str) -> BTreeMap<Series, f64> {
    let families = prometheus_client::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let samples = prometheus_client::samples(&families).into_inner();
    let plain =
        samples.into_iter().filter(|((name, _), _)| name != "target_info").map(|((name, mut labels), value)| {
            labels.retain(|label, _| label != "job" && label != "instance" && !label.starts_with("otel_scope_"));
            if let Some(bound) = labels.get_mut("le").filter(|bound| *bound != "+Inf") {
                *bound = bound.parse::<f64>().unwrap().to_string();
            }
            let name = if name == RENAMED.0 { RENAMED.1.to_owned() } else { name };
            ((name, labels), value)
        });
    plain.collect()
}

/// The HELP and TYPE lines by name.
fn described(text: &str) -> BTreeMap<String, Vec<String>> {
    let mut described = BTreeMap::<String, Vec<String>>::new();
    for line in text.lines() {
        let Some((name, what)) =
            ["# HELP ", "# TYPE "].iter().find_map(|start| line.strip_prefix(start)?.split_once(' '))
        else {
            continue;
        };
        if name != "target_info" {
            let name = if name == RENAMED.0 { RENAMED.1 } else { name };
            described.entry(name.to_owned()).or_default().push(what.to_owned());
        }
    }
    described
}

fn assert_equal(collector: &Collector, process: &str) {
    let own = http::get(&format!("http://{process}/metrics"), &[]).unwrap();
    let theirs = collector.metrics();
    assert_eq!(described(&theirs), described(&own));
    let (own, theirs) = (samples(&own), samples(&theirs));
    for (series, value) in &own {
        let seen = theirs.get(series).unwrap_or_else(|| panic!("{series:?} is missing"));
        let is_changing = CHANGING.iter().any(|prefix| series.0.starts_with(prefix));
        // The sum of growths is rounded otherwise than the growth of a sum.
        let is_same = (value - seen).abs() <= value.abs() * 1e-12;
        assert!(is_changing || is_same, "{series:?}: {seen} instead of {value}");
    }
    let more: Vec<_> = theirs.keys().filter(|series| !own.contains_key(series)).collect();
    assert!(more.is_empty(), "{more:?}");
}

fn agrees(settings: &[(&str, &str)]) {
    let (collector, state) = (Collector::start(), tempfile::tempdir().unwrap());
    let grpc = settings.contains(&("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"));
    let process =
        settings.iter().fold(start(&collector, state.path()), |process, (name, value)| process.env(name, value));
    let process = if grpc { process.env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.grpc_url()) } else { process };
    let mut process = process.start();
    let address = process.wait_for_output("its address", |line| line.contains(':').then(|| line.to_owned()));
    for number in ["1", "2", "7"] {
        work(&mut process, number);
        assert_equal(&collector, &address);
    }
    let names = described(&collector.metrics());
    for family in FAMILIES {
        let name = family.name.replace('.', "_");
        assert!(names.contains_key(&name) || names.contains_key(&format!("{name}_total")), "{name}: {names:#?}");
    }
    assert!(names.contains_key("rows_loaded_total") && names.contains_key("load_seconds"), "{names:#?}");
    let target = collector.metrics();
    let target = target.lines().find(|line| line.starts_with("target_info{")).unwrap_or_else(|| panic!("{target}"));
    for part in [
        "job=\"etl 1\"",
        "deployment_environment_name=\"test\"",
        "host_name=",
        "process_pid=",
        "telemetry_sdk_name=\"obs\"",
    ] {
        assert!(target.contains(part), "{part}: {target}");
    }
    assert_eq!(process.finish().code(), Some(0));
}

#[test]
fn a_collector_shows_the_metrics_of_the_process_with_cumulative_points() {
    agrees(&[]);
}

#[test]
fn a_collector_shows_the_metrics_of_the_process_with_delta_points() {
    agrees(&[
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "delta"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
    ]);
}

#[test]
fn a_collector_shows_the_metrics_of_the_process_over_grpc() {
    agrees(&[("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"), ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
}

#[test]
fn metrics_are_sent_at_the_interval_without_a_flush() {
    let (collector, state) = (Collector::start(), tempfile::tempdir().unwrap());
    let process = start(&collector, state.path()).env("OTEL_METRIC_EXPORT_INTERVAL", "100");
    let process = process.start();
    let address = process.wait_for_output("its address", |line| line.contains(':').then(|| line.to_owned()));
    assert!(address.contains(':'));
    obs_tests::wait::until_true("metrics of the process", || {
        collector.metrics().contains("process_start_time_seconds{")
    });
    assert_eq!(process.finish().code(), Some(0));
}
