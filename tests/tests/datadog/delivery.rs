//! Everything that is recorded arrives once, in few packets, over each kind of socket.

use std::path::Path;
use std::time::Duration;

use obs_runtime::snapshot::SeriesValue;
use obs_runtime::{QueryStatistics, track_performance};
use obs_tests::dogstatsd::{Agent, Metric};
use obs_tests::process::{Finished, Process};
use obs_tests::{exclusive, wait};

use crate::{STEP, builder, steps};

/// Runs a job that sends to this URL.
fn job(program: &str, way: &str, url: &str) -> Finished {
    let job = Process::new(program).args(&[way]).env("PROMETHEUS_PORT", "0").env("LOG_LEVEL", "CRITICAL");
    job.env("DATADOG_ENABLED", "true").env("DD_DOGSTATSD_URL", url).run()
}

/// An agent of each kind.
fn agents(folder: &Path) -> [Agent; 3] {
    [Agent::udp(), Agent::datagram(&folder.join("datagram")), Agent::stream(&folder.join("stream"))]
}

#[test]
fn no_exit_path_loses_or_duplicates_metrics_on_any_socket() {
    let folder = tempfile::tempdir().unwrap();
    for agent in agents(folder.path()) {
        for way in ["return", "error", "panic", "exit", "process-exit", "TERM", "INT"] {
            let ended = job(env!("CARGO_BIN_EXE_short-lived"), way, agent.url());
            let context = format!("{way} to {}: {}", agent.url(), ended.stderr);
            agent.wait_for("operation.duration.seconds", STEP, 100.0);
            assert_eq!(agent.count("operation.success", STEP), 100.0, "{context}");
            assert_eq!(agent.count("short_lived.rows", &[("table", "users")]), 100.0, "{context}");
            assert_eq!(agent.count("short_lived.batch_rows", &[]), 100.0, "{context}");
            let rows: f64 = agent.metrics("short_lived.batch_rows", &[]).iter().map(Metric::sum).sum();
            assert!((rows - 4950.0).abs() < 1e-6, "{rows}: {context}");
            assert_eq!(agent.count("cli.command.started", &[("command", "short-lived")]), 1.0, "{context}");
            agent.clear();
        }
    }
}

#[test]
fn a_million_calls_are_a_few_packets() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    let guard = builder(agent.url()).init().unwrap();
    steps(1_000_000);
    drop(guard);
    agent.wait_for("operation.duration.seconds", STEP, 1e6);
    assert_eq!(agent.count("operation.success", STEP), 1e6);
    assert!(agent.packets().len() <= 5, "{} packets", agent.packets().len());
    assert!(agent.packets().iter().all(|packet| packet.len() <= 1432));
}

#[test]
fn only_new_calls_are_sent_even_after_a_new_initialisation() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    for round in 1..=3_u8 {
        let guard = builder(agent.url()).init().unwrap();
        steps(10);
        guard.flush();
        guard.flush();
        steps(7);
        drop(guard);
        // obs is not initialised now.
        steps(1000);
        agent.wait_for("operation.success", STEP, 17.0 * f64::from(round));
        assert_eq!(agent.count("operation.duration.seconds", STEP), 17.0 * f64::from(round));
    }
}

#[test]
fn metrics_are_sent_at_an_interval() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    let _guard = builder(agent.url()).datadog_interval(Duration::from_millis(30)).init().unwrap();
    steps(10);
    agent.wait_for("operation.success", STEP, 10.0);
    steps(5);
    agent.wait_for("operation.success", STEP, 15.0);
    let last = wait::until("a delivery reports the one before", wait::LONG, || {
        agent.metrics("obs.last_success.timestamp.seconds", &[("sink", "datadog")]).pop()
    });
    assert_eq!(last.kind, "g");
    assert!(obs_runtime::status().sink("datadog").is_some_and(|sink| sink.last_success.is_some()));
}

#[test]
fn concurrent_calls_and_flushes_lose_and_duplicate_nothing() {
    // A function of its own, so that its process-wide counters begin at zero.
    #[track_performance]
    fn counted() {}
    const COUNTED: &[(&str, &str)] = &[("operation", "counted")];
    let _exclusive = exclusive::lock();
    let folder = tempfile::tempdir().unwrap();
    let agent = Agent::datagram(&folder.path().join("datagram"));
    let guard = builder(agent.url()).datadog_interval(Duration::from_millis(10)).init().unwrap();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for number in 0..50_000 {
                    counted();
                    metrics::counter!("many.rows").increment(2);
                    metrics::histogram!("many.sizes").record(f64::from(number % 100));
                }
            });
        }
        scope.spawn(|| (0..20).for_each(|_| guard.flush()));
    });
    let durations = obs_runtime::metrics().family("operation.duration.seconds").unwrap().series.clone();
    let durations = durations.iter().filter(|series| series.labels.iter().any(|(_, value)| value == "counted"));
    let sums = durations.map(|series| if let SeriesValue::Histogram { sum, .. } = series.value { sum } else { 0.0 });
    let measured: f64 = sums.sum();
    drop(guard);
    agent.wait_for("operation.success", COUNTED, 200_000.0);
    assert_eq!(agent.count("operation.duration.seconds", COUNTED), 200_000.0);
    assert_eq!((agent.count("many.rows", &[]), agent.count("many.sizes", &[])), (400_000.0, 200_000.0));
    let sum = |name: &str, tags: &[(&str, &str)]| agent.metrics(name, tags).iter().map(Metric::sum).sum::<f64>();
    let sent = sum("operation.duration.seconds", COUNTED);
    assert!((sent - measured).abs() <= measured * 1e-6, "{sent} s sent, {measured} s measured");
    let sizes = sum("many.sizes", &[]);
    assert!((sizes - 9_900_000.0).abs() < 1e-3, "{sizes}");
}

#[test]
fn few_observations_are_sent_one_by_one_and_many_by_exact_count_and_sum() {
    let _exclusive = exclusive::lock();
    let agent = Agent::udp();
    let guard = builder(agent.url()).init().unwrap();
    let query = |bytes_processed| QueryStatistics { bytes_processed, ..QueryStatistics::default() };
    let bytes = [5_000_000_000, 20_000_000, 7_000_000_000, 7];
    for bytes in bytes {
        obs_runtime::track_query_performance("select", &query(bytes));
    }
    guard.flush();
    let values = || -> Vec<f64> {
        let metrics = agent.metrics("bigquery.query.bytes_processed", &[("query_type", "select")]);
        metrics.into_iter().flat_map(|metric| metric.values).collect()
    };
    wait::until_true("four observations arrive", || values().len() == 4);
    assert_eq!(values(), [5e9, 2e7, 7e9, 7.0]);
    // Of many observations, the count and the sum are exact.
    agent.clear();
    for bytes in 1..=100 {
        obs_runtime::track_query_performance("select", &query(bytes * 1_000_000));
    }
    drop(guard);
    agent.wait_for("bigquery.query.bytes_processed", &[], 100.0);
    let metrics = agent.metrics("bigquery.query.bytes_processed", &[]);
    assert_eq!(metrics.iter().map(Metric::sum).sum::<f64>().round(), 5.05e9);
}
