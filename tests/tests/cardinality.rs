//! Label values beyond `OBS_MAX_SERIES` are counted together, with a warning.

use obs_runtime::testing::capture_with;
use obs_runtime::{Config, LogContext, Observability, QueryStatistics, track_cost, track_estimate, track_performance};
use obs_tests::exposition::Samples;
use obs_tests::process::Process;
use obs_tests::{http, logs, wait};

#[track_performance(tags(table = table))]
fn load(table: usize) -> usize {
    table
}

#[track_performance(tags(table = table))]
fn store(table: usize) -> usize {
    table
}

#[test]
fn series_beyond_the_limit_are_counted_together_with_one_warning() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("log");
    let builder = Observability::builder().without_environment().prometheus_port(0).log_file(&log).max_series(3);
    let guard = builder.init().unwrap();
    for table in 0..10 {
        load(table);
    }
    store(1);
    let name = "x".repeat(1000);
    obs_runtime::track_feature(name.clone());
    let metrics = obs_runtime::metrics();
    let status = obs_runtime::status();
    assert_eq!(status.full_metrics, ["operation.duration.seconds"]);
    assert!(status.sink("metrics").unwrap().dropped["cardinality"] >= 8, "{status:?}");
    drop(guard);
    let series = &metrics.family("operation.duration.seconds").unwrap().series;
    let of = |operation: &str| series.iter().filter(|one| one.labels[0].1 == operation).count();
    assert_eq!((of("load"), of("store")), (4, 1), "{series:?}");
    assert_eq!(metrics.value("operation.success", &[("operation", "load"), ("table", "other")]), Some(7.0));
    assert_eq!(metrics.value("operation.success", &[("operation", "store"), ("table", "other")]), Some(1.0));
    assert!(metrics.value("obs.dropped", &[("reason", "cardinality")]) >= Some(8.0));
    let of_metric = [("reason", "cardinality"), ("metric", "operation.duration.seconds")];
    assert_eq!(metrics.value("obs.dropped", &of_metric), Some(7.0), "the first of eight counts without a name");
    let feature = &metrics.family("cli.feature.usage").unwrap().series[0].labels[0].1;
    assert!(feature.chars().count() == 200 && name.starts_with(&feature[..180]), "{feature}");
    let lines = logs::read(&log);
    let messages = logs::messages(&lines);
    assert!(messages.len() == 1 && messages[0].contains("OBS_MAX_SERIES"), "{messages:?}");
    assert!(messages[0].starts_with("metric operation.duration.seconds: more than 3 series"), "{messages:?}");
}

#[test]
fn estimates_and_cost_stay_separate_beyond_the_limit() {
    let config = Config::default().with(|config| config.max_series = 2);
    let spent = QueryStatistics { bytes_processed: 1, ..QueryStatistics::default() };
    let captured = capture_with(config, || {
        for number in 0..5 {
            LogContext::new().operation(format!("query-{number}")).scope(|| {
                track_estimate(1);
                track_cost(&spent);
            });
        }
    });
    let value = |kind| captured.metrics.value("bigquery.cost.usd", &[("operation", "other"), ("kind", kind)]);
    assert_eq!((value("estimate"), value("actual"), value("other")), (Some(4.0), Some(4.0), None));
}

#[test]
fn a_function_and_a_command_have_at_most_40_series_with_two_outcomes() {
    let mut service =
        Process::new(env!("CARGO_BIN_EXE_alerted-job")).args(&["serve"]).env("PROMETHEUS_PORT", "0").start();
    let address: String = service.wait_for_output("its address", |line| Some(line.to_owned()));
    let metrics = || Samples::parse(&http::get(&format!("http://{address}/metrics"), &[]).unwrap());
    let over_limit = metrics().value("obs_dropped_total", &[("reason", "cardinality")]);
    assert_eq!(over_limit, Some(0.0), "the counter is there before it steps");
    for way in ["ok", "bad", "error"] {
        service.write_line(way);
    }
    let count = |samples: &Samples, label: &str, value: &str| {
        samples.iter().filter(|((_, labels), _)| obs_tests::exposition::has_labels(labels, &[(label, value)])).count()
    };
    let ended = || {
        metrics().value("cli_command_started_total", &[]) == Some(3.0)
            && metrics().value("cli_command_running", &[]) == Some(0.0)
    };
    wait::until_true("three runs", ended);
    let metrics = metrics();
    for (name, label, value) in
        [("operation_duration_seconds", "operation", "store"), ("cli_command_duration_seconds", "command", "nightly")]
    {
        for outcome in ["ok", "error"] {
            let labels = [(label, value), ("outcome", outcome)];
            assert!(metrics.sum(&format!("{name}_count"), &labels) > Some(0.0), "{labels:?}");
        }
        // `store` has an objective of one second: one bound more.
        let (found, limit) = (count(&metrics, label, value), if value == "store" { 42 } else { 40 });
        assert!(found <= limit, "{found} series of {value}");
        let at_a_second = metrics.sum(&format!("{name}_bucket"), &[(label, value), ("le", "1")]);
        assert_eq!(at_a_second.is_some(), value == "store", "{value}");
        // Those by which jobs differ.
        for bound in [15, 20, 900, 1200, 10_800, 28_800, 86_400] {
            let bucket = [(label, value), ("le", &*bound.to_string())];
            assert!(metrics.sum(&format!("{name}_bucket"), &bucket) > Some(0.0), "{bucket:?}");
        }
    }
    assert_eq!(service.finish().code(), Some(0));
}
