//! Metrics that a program records by the macros of the crate `metrics` are exported with those of obs.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use obs_runtime::snapshot::UserMetricValue;
use obs_runtime::testing::{capture, capture_async};
use obs_runtime::{ClosureInContext as _, Guard, Observability, track_performance};
use obs_tests::process::Process;
use obs_tests::{http, logs, measure};

struct Service {
    guard: Guard,
    log: PathBuf,
}

/// The service of this process, for one test at a time.
fn service() -> MutexGuard<'static, Service> {
    static SERVICE: OnceLock<Mutex<Service>> = OnceLock::new();
    let start = || {
        let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("user_metrics");
        let _ = std::fs::remove_dir_all(&folder);
        let log = folder.join("log");
        let builder = Observability::builder().without_environment().service_name("etl").environment("test");
        let builder = builder.version("1").prometheus_port(0).prometheus_textfile_dir(&folder).max_series(20);
        Mutex::new(Service { guard: builder.log_file(&log).init().unwrap(), log })
    };
    SERVICE.get_or_init(start).lock().unwrap_or_else(PoisonError::into_inner)
}

impl Service {
    fn scrape(&self) -> String {
        http::get(&format!("http://{}/metrics", self.guard.metrics_address().unwrap()), &[]).unwrap()
    }

    /// How many log lines have a message with this text.
    fn warned(&self, text: &str) -> usize {
        logs::messages(&logs::read(&self.log)).into_iter().filter(|message| message.contains(text)).count()
    }
}

/// The lines of a metric, including its comments.
fn lines<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    text.lines()
        .filter(|line| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with(name))
        .collect()
}

#[test]
fn counters_gauges_and_histograms_are_scraped_with_the_constant_labels() {
    let service = service();
    metrics::describe_counter!("rows.loaded", "Rows that were loaded.");
    metrics::counter!("rows.loaded", "table" => "users").increment(3);
    metrics::counter!("rows.loaded", "table" => "users").increment(4);
    metrics::gauge!("queue.depth").set(2.5);
    metrics::histogram!("request_seconds", "le" => "x", "service" => "mine").record(0.3);
    let text = service.scrape();
    assert_eq!(
        lines(&text, "rows_loaded_total"),
        [
            "# HELP rows_loaded_total Rows that were loaded.",
            "# TYPE rows_loaded_total counter",
            r#"rows_loaded_total{table="users",service="etl",environment="test"} 7"#,
        ]
    );
    assert_eq!(lines(&text, "queue_depth{"), [r#"queue_depth{service="etl",environment="test"} 2.5"#]);
    let count = r#"request_seconds_count{tag_le="x",tag_service="mine",service="etl",environment="test"} 1"#;
    assert_eq!(lines(&text, "request_seconds_count"), [count]);
    let buckets = lines(&text, "request_seconds_bucket").len();
    assert_eq!(buckets, obs_runtime::catalogue::SECONDS.len() + 1, "every bound of durations and +Inf");
    assert!(!text.contains("quantile"), "{text}");
}

#[test]
fn counters_are_summed_in_the_textfile() {
    let service = service();
    metrics::counter!("textfile.rows").increment(3);
    service.guard.flush();
    metrics::counter!("textfile.rows").increment(1);
    service.guard.flush();
    let text = std::fs::read_to_string(service.log.with_file_name("etl.prom")).unwrap();
    assert!(lines(&text, "textfile_rows_total{")[0].ends_with(" 4"), "{text}");
}

#[test]
fn series_beyond_the_limit_are_counted_together_and_values_are_redacted_and_cut() {
    let service = service();
    for number in 0..30 {
        metrics::counter!("bounded", "number" => number.to_string()).increment(1);
    }
    metrics::counter!("private", "email" => "ann@example.com", "long" => "x".repeat(1000)).increment(1);
    let text = service.scrape();
    assert_eq!(lines(&text, "bounded_total{").len(), 21);
    assert!(text.contains(r#"bounded_total{number="other",service="etl",environment="test"} 10"#), "{text}");
    let private = lines(&text, "private_total{")[0];
    assert!(!private.contains("ann@") && private.len() < 400, "{private}");
    assert_eq!(service.warned("OBS_MAX_SERIES"), 1);
}

#[test]
fn long_values_names_and_descriptions_are_not_kept_and_descriptions_are_redacted() {
    const LENGTH: usize = 8 << 20;
    let service = service();
    let before = measure::resident_kib();
    for number in 0..10 {
        let long = format!("{number}{}", "x".repeat(LENGTH));
        metrics::counter!("etl.long_values", "table" => long.clone()).increment(1);
        metrics::counter!("etl.long_labels", long.clone() => "v").increment(1);
        metrics::counter!(format!("etl.{long}")).increment(1);
        metrics::describe_counter!("etl.described", format!("of ada@example.com {long}"));
    }
    metrics::counter!("etl.described").increment(1);
    let grown = measure::resident_kib().saturating_sub(before);
    assert!(grown < (LENGTH as u64 >> 10) * 5, "{grown} KiB more");
    let text = service.scrape();
    assert!(text.len() < LENGTH / 10, "{}", text.len());
    assert_eq!(lines(&text, "etl_long_values_total{").len(), 10);
    let help = text.lines().find(|line| line.starts_with("# HELP etl_described")).unwrap();
    assert!(help.contains("[REDACTED") && !help.contains("ada@"), "{help}");
}

#[test]
fn names_that_are_equal_in_prometheus_are_summed_and_warned_of_once() {
    let service = service();
    for _ in 0..3 {
        metrics::counter!("clash.name").increment(1);
        metrics::counter!("clash-name").increment(10);
        metrics::gauge!("operation_success_total").set(1.0);
        let _ = service.scrape();
    }
    let text = service.scrape();
    assert!(lines(&text, "clash_name_total{")[0].ends_with(" 33"), "{text}");
    assert_eq!(service.warned("`clash.name` and `clash-name` have the same Prometheus name"), 1);
}

#[test]
fn a_metric_of_another_kind_cannot_take_a_name_of_obs() {
    let service = service();
    track_performance("owned", || ());
    metrics::gauge!("operation_success_total", "from" => "user").set(1.0);
    let text = service.scrape();
    assert_eq!(lines(&text, "operation_success_total")[1], "# TYPE operation_success_total counter");
    assert!(!text.contains(r#"from="user""#), "{text}");
    assert_eq!(service.warned("the metric operation_success_total has two kinds"), 1);
}

#[test]
fn an_existing_recorder_is_kept_with_one_warning() {
    let process = Process::new(env!("CARGO_BIN_EXE_own-recorder")).env("PROMETHEUS_PORT", "0");
    let ended = process.run();
    assert_eq!((ended.code(), &*ended.stdout), (Some(0), "counted 4\n"), "{ended:?}");
    assert_eq!(ended.stderr.matches("a recorder of the metrics crate is installed already").count(), 1, "{ended:?}");
}

#[test]
fn a_capture_has_the_metrics_that_its_code_recorded_and_adds_up_series() {
    let service = service();
    let captured = capture(|| {
        for (table, rows) in [("orders", 3), ("users", 4)] {
            metrics::counter!("captured_rows", "table" => table, "layer" => "raw").increment(rows);
        }
        std::thread::spawn(
            (|| metrics::counter!("captured_rows", "table" => "users", "layer" => "mart").increment(10))
                .in_current_context(),
        )
        .join()
        .unwrap();
        metrics::gauge!("captured_lag").set(1.5);
        for seconds in [0.5, 2.0] {
            metrics::histogram!("captured_seconds", "password" => "hunter2").record(seconds);
        }
        for name in ["parse", "load", "load"] {
            track_performance(name, || ());
        }
    });
    let value = |name: &str, labels: &[(&str, &str)]| captured.metrics.value(name, labels);
    assert_eq!(value("captured_rows", &[("table", "orders"), ("layer", "raw")]), Some(3.0));
    assert_eq!(value("captured_rows", &[("layer", "raw")]), Some(7.0));
    assert_eq!(value("captured_rows", &[("table", "users")]), Some(14.0));
    assert_eq!((value("captured_rows", &[]), value("captured_lag", &[])), (Some(17.0), Some(1.5)));
    assert_eq!(value("captured_rows", &[("table", "nothing")]), None);
    assert_eq!(value("captured_seconds", &[("password", "[REDACTED]")]), Some(2.0));
    let histogram = captured.metrics.user.iter().find(|metric| metric.name == "captured_seconds").unwrap();
    assert_eq!(histogram.value, UserMetricValue::Histogram(vec![0.5, 2.0]));
    assert_eq!((value("operation.success", &[]), value("operation.duration.seconds", &[])), (Some(3.0), Some(3.0)));
    assert_eq!(value("operation.success", &[("operation", "load")]), Some(2.0));
    assert!(!service.scrape().contains("captured_"), "a capture keeps its metrics to itself");

    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let captured = runtime.block_on(capture_async(async {
        metrics::counter!("captured_calls").increment(1);
        obs_runtime::spawn(async { metrics::counter!("captured_calls").increment(2) }).await.unwrap();
    }));
    assert_eq!(captured.metrics.value("captured_calls", &[]), Some(3.0));
    assert_eq!(capture(|| ()).metrics.user, []);
}
