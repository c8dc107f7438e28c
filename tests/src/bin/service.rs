//! A service that does some work, writes the address of its metrics, and serves them until its standard input ends.

use std::io::{Read, Write};

use obs_runtime::{QueryStatistics, bq_cost, dq_check, health_check, track_performance, tracked_command};
use obs_runtime::{run_dq_checks, run_health_checks, track_cost, track_feature, with_error_tracking};

#[track_performance]
fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
    text.parse()
}

#[with_error_tracking]
fn load() -> Result<(), std::io::Error> {
    Err(std::io::Error::other("no such file"))
}

#[bq_cost(query_type = "select", dataset = "users", alert_over_usd = 1.0)]
fn query() -> QueryStatistics {
    let bytes = 1 << 40;
    let second = std::time::Duration::from_secs(1);
    let statistics = QueryStatistics {
        bytes_processed: bytes,
        bytes_billed: Some(bytes),
        rows: Some(3),
        slot_time: Some(second),
        duration: Some(second),
        ..QueryStatistics::default()
    };
    track_cost(&statistics);
    statistics
}

#[health_check]
fn always_healthy() {}

#[dq_check(dataset = "users", fail_above = 0)]
fn null_ids() -> u8 {
    2
}

#[dq_check(dataset = "users")]
fn has_rows() -> bool {
    true
}

#[dq_check(dataset = "users", fail_above = 0)]
fn broken() -> Result<u8, String> {
    Err("no such table".to_owned())
}

#[tracked_command(args(mode))]
fn serve_once(mode: &str) {
    for text in ["1", "2", "3", "x"] {
        let _ = parse(text);
    }
    let _ = load();
    query();
    track_feature(mode.to_owned());
    run_health_checks().wait();
    run_dq_checks().wait();
}

#[tracked_command]
fn always_fails() -> Result<(), String> {
    Err("always".to_owned())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    serve_once("once");
    let _ = always_fails();
    println!("{}", guard.metrics_address().map(|address| address.to_string()).unwrap_or_default());
    std::io::stdout().flush()?;
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
