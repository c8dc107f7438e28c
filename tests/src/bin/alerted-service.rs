//! A service for alerts. It serves its metrics until its standard input ends, and each line of it does something: `ok`, `fail`
//! and `slow` are requests, `healthy` and `unhealthy` set what a check finds, `cheap` and `costly` are queries, `spend` takes
//! from a budget, and a number is a run of a command that takes so many milliseconds.

use std::io::BufRead as _;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use obs_runtime::{CostRefused, QueryStatistics, bq_cost, health_check, reserve_cost, track_cost};
use obs_runtime::{run_health_checks, track_performance, tracked_command};

const TEBIBYTE: u64 = 1 << 40;

static HEALTHY: AtomicBool = AtomicBool::new(true);

#[health_check]
fn database() -> Result<(), String> {
    if HEALTHY.load(Ordering::SeqCst) { Ok(()) } else { Err("down".to_owned()) }
}

#[track_performance]
fn request(way: &str) -> Result<(), String> {
    match way {
        "fail" => Err("asked to fail".to_owned()),
        "slow" => {
            std::thread::sleep(Duration::from_millis(2600));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), ..QueryStatistics::default() }
}

#[bq_cost(alert_over_usd = 1.0)]
fn query(bytes: u64) {
    track_cost(&billed(bytes));
}

#[bq_cost(budget = "nightly")]
fn spend() -> Result<(), CostRefused> {
    reserve_cost(TEBIBYTE)?.settle(&billed(TEBIBYTE));
    Ok(())
}

#[tracked_command(cron = "0 3 * * *")]
fn nightly(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    println!("ready");
    for line in std::io::stdin().lock().lines() {
        match &*line? {
            state @ ("healthy" | "unhealthy") => {
                HEALTHY.store(state == "healthy", Ordering::SeqCst);
                run_health_checks().wait();
            }
            "cheap" => query(1),
            "costly" => query(TEBIBYTE),
            "spend" => spend()?,
            way @ ("ok" | "fail" | "slow") => drop(request(way)),
            milliseconds => nightly(milliseconds.parse()?),
        }
    }
    Ok(())
}
