//! What a program counts by the macros of the crate `metrics` stands beside what obs counts.

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

use obs_runtime::{Guard, Observability};
use obs_tests::http;
use obs_tests::process::Process;

struct Service {
    guard: Guard,
    log: PathBuf,
}

/// The one service of this process, for one test at a time.
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

    /// How often a warning with these words was logged.
    fn warned(&self, words: &str) -> usize {
        std::fs::read_to_string(&self.log).unwrap().lines().filter(|line| line.contains(words)).count()
    }
}

/// Every line of a metric.
fn lines<'t>(text: &'t str, name: &str) -> Vec<&'t str> {
    text.lines()
        .filter(|line| line.trim_start_matches("# HELP ").trim_start_matches("# TYPE ").starts_with(name))
        .collect()
}

#[test]
fn counters_gauges_and_histograms_stand_in_a_scrape_with_the_constant_labels() {
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
            r#"rows_loaded_total{table="users",service="etl",environment="test",version="1"} 7"#,
        ]
    );
    assert_eq!(lines(&text, "queue_depth{"), [r#"queue_depth{service="etl",environment="test",version="1"} 2.5"#]);
    let count =
        r#"request_seconds_count{tag_le="x",tag_service="mine",service="etl",environment="test",version="1"} 1"#;
    assert_eq!(lines(&text, "request_seconds_count"), [count]);
    assert_eq!(lines(&text, "request_seconds_bucket").len(), 23, "a histogram has buckets");
    assert!(!text.contains("quantile"), "{text}");
}

#[test]
fn what_was_counted_is_added_up_in_the_textfile() {
    let service = service();
    metrics::counter!("textfile.rows").increment(3);
    service.guard.flush();
    metrics::counter!("textfile.rows").increment(1);
    service.guard.flush();
    let text = std::fs::read_to_string(service.log.with_file_name("etl.prom")).unwrap();
    assert!(lines(&text, "textfile_rows_total{")[0].ends_with(" 4"), "{text}");
}

#[test]
fn series_past_the_limit_are_counted_together_and_values_are_redacted_and_cut() {
    let service = service();
    for number in 0..30 {
        metrics::counter!("bounded", "number" => number.to_string()).increment(1);
    }
    metrics::counter!("private", "email" => "ann@example.com", "long" => "x".repeat(1000)).increment(1);
    let text = service.scrape();
    assert_eq!(lines(&text, "bounded_total{").len(), 21);
    assert!(
        text.contains(r#"bounded_total{number="other",service="etl",environment="test",version="1"} 10"#),
        "{text}"
    );
    let private = lines(&text, "private_total{")[0];
    assert!(!private.contains("ann@") && private.len() < 400, "{private}");
    assert_eq!(service.warned("OBS_MAX_SERIES"), 1);
}

#[test]
fn names_that_become_one_are_reported_once_and_lose_nothing() {
    let service = service();
    for _ in 0..3 {
        metrics::counter!("clash.name").increment(1);
        metrics::counter!("clash-name").increment(10);
        metrics::gauge!("operation_success_total").set(1.0);
        let _ = service.scrape();
    }
    let text = service.scrape();
    assert!(lines(&text, "clash_name_total{")[0].ends_with(" 33"), "{text}");
    assert_eq!(service.warned("`clash.name` and `clash-name` are one"), 1);
}

#[test]
fn a_metric_of_another_kind_does_not_take_a_name_of_ours() {
    let service = service();
    obs_runtime::track_performance("owned", || ());
    metrics::gauge!("operation_success_total", "from" => "user").set(1.0);
    let text = service.scrape();
    assert_eq!(lines(&text, "operation_success_total")[1], "# TYPE operation_success_total counter");
    assert!(!text.contains(r#"from="user""#), "{text}");
    assert_eq!(service.warned("operation_success_total is counted as two kinds"), 1);
}

#[test]
fn a_program_with_a_recorder_of_its_own_keeps_it_and_is_warned_once() {
    let process = Process::new(env!("CARGO_BIN_EXE_own-recorder")).env("PROMETHEUS_PORT", "0");
    let ended = process.run();
    assert_eq!((ended.code(), &*ended.stdout), (Some(0), "counted 4\n"), "{ended:?}");
    assert_eq!(ended.stderr.matches("a recorder of the metrics crate is installed already").count(), 1, "{ended:?}");
}
