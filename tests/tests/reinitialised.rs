//! obs can be initialised again after its guard was dropped: everything is resolved anew, and nothing is counted twice.

use std::path::Path;

use obs_runtime::{Guard, InitError, Observability, track_performance};
use obs_tests::http;

#[track_performance]
fn step() {}

#[track_performance(tags(table = table))]
fn load(table: &str) {
    let _ = table;
}

fn start(service: &str, folder: &Path) -> Guard {
    let builder = Observability::builder().without_environment().service_name(service).prometheus_port(0);
    builder.prometheus_textfile_dir(folder).init().unwrap()
}

fn work(rows: &metrics::Counter) {
    for _ in 0..10 {
        step();
        load("users");
        rows.increment(1);
        metrics::counter!("again.rows").increment(1);
    }
}

/// The value of the only series that begins so.
fn value(text: &str, series: &str) -> f64 {
    let found: Vec<_> = text.lines().filter(|line| line.starts_with(series)).collect();
    assert_eq!(found.len(), 1, "{series}: {text}");
    found[0].rsplit_once(' ').unwrap().1.parse().unwrap()
}

#[test]
fn a_second_life_has_its_own_labels_textfile_and_port() {
    let folder = tempfile::tempdir().unwrap();
    let file = |service: &str| std::fs::read_to_string(folder.path().join(format!("{service}.prom"))).unwrap();

    let first = start("first", folder.path());
    let second = Observability::builder().without_environment().prometheus_port(0).init();
    assert!(matches!(second, Err(InitError::AlreadyInitialised)));
    let address = first.metrics_address().unwrap();
    let kept = metrics::counter!("kept.rows");
    work(&kept);
    drop(first);
    assert!(http::get(&format!("http://{address}/metrics"), &[]).is_err(), "nobody serves any more");
    for series in ["operation_success_total{operation=\"step\",service=\"first\"", "kept_rows_total{service=\"first\""]
    {
        assert_eq!(value(&file("first"), series), 10.0);
    }

    step();
    load("users");
    metrics::counter!("again.rows").increment(1);

    let second = start("second", folder.path());
    work(&kept);
    let address = second.metrics_address().unwrap();
    let scraped = http::get(&format!("http://{address}/metrics"), &[]).unwrap();
    assert!(!scraped.contains("service=\"first\""), "{scraped}");
    assert_eq!(value(&scraped, "operation_success_total{operation=\"step\""), 20.0, "one process, one counter");
    drop(second);
    for series in [
        "operation_success_total{operation=\"step\",service=\"second\"",
        "operation_success_total{operation=\"load\",service=\"second\"",
        "kept_rows_total{service=\"second\"",
        "again_rows_total{service=\"second\"",
    ] {
        assert_eq!(value(&file("second"), series), 10.0, "{series}");
    }
    assert_eq!(value(&file("first"), "kept_rows_total{"), 10.0, "the first one's file stays as it was");
}
