//! A workload that records every family of the catalogue, some with hostile labels.

use std::time::Duration;

use obs_runtime::{QueryStatistics, Severity};
use obs_runtime::{bq_cost, dq_check, health_check, track_performance, tracked_command, with_error_tracking};

/// A label value with characters that have a meaning in some format.
pub const HOSTILE: &str = "a\\b\"c\nd,e=\"f\"} 1 # {ü|:";

/// More values of a tag than the limit of series.
const TAG_VALUES: u32 = 30;

#[track_performance(tags(zone = zone, le = "not a bound"))]
fn parse(text: &str, zone: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[track_performance(tags(number = number))]
fn tagged_without_bounds(number: u32) {
    let _ = number;
}

#[with_error_tracking]
fn load() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no such file"))
}

#[bq_cost(query_type = "select", dataset = HOSTILE, alert_over_usd = 1.0)]
fn query() {
    let tebibyte = 1 << 40;
    let duration = Duration::from_millis(1500);
    let statistics = QueryStatistics {
        bytes_processed: tebibyte,
        bytes_billed: Some(tebibyte),
        rows: Some(3),
        slot_time: Some(duration),
        duration: Some(duration),
        ..QueryStatistics::default()
    };
    obs_runtime::track_query_performance("select", &statistics);
    obs_runtime::track_bigquery_operation("load", HOSTILE);
    obs_runtime::track_cost(&statistics);
}

#[health_check]
fn always_healthy() {}

#[dq_check(dataset = "users", fail_above = 0)]
fn null_ids() -> u8 {
    2
}

#[dq_check(dataset = "users", fail_above = 0)]
fn broken() -> Result<u8, String> {
    Err("no such table".to_owned())
}

/// Records every family that a command which succeeds has.
#[tracked_command(
    args(mode),
    cron = "0 3 * * *",
    timezone = "Europe/Berlin",
    max_runtime = "30m",
    owner = "data",
    runbook = "https://wiki.example.org/work",
    slo = "99.5%"
)]
pub fn work(mode: &str) {
    for (text, zone) in [("1", "eu"), ("2", HOSTILE), ("x", HOSTILE)] {
        let _ = parse(text, zone);
    }
    (0..TAG_VALUES).for_each(tagged_without_bounds);
    let _ = load();
    query();
    obs_runtime::track_feature(mode.to_owned());
    obs_runtime::track_data_quality_check(HOSTILE, "users", Severity::Warning, true);
    obs_runtime::run_health_checks().wait();
    obs_runtime::run_dq_checks().wait();
}

/// Records the families of a failed command.
#[tracked_command]
pub fn always_fails() -> Result<(), String> {
    Err("always".to_owned())
}
