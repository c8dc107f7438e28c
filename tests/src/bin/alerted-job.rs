//! A scheduled job with costs and a data-quality check, for alerts. Its first argument is the way each run ends: `ok`, `error`,
//! `panic` or `hang`. With `serve` it writes the address of its metrics to standard output and then makes one run for each line
//! of its standard input.

use std::io::BufRead as _;
use std::panic::{AssertUnwindSafe, catch_unwind};

use obs_runtime::{QueryStatistics, bq_cost, dq_check, tracked_command};

/// A query of 6.25 US dollars.
#[bq_cost]
fn query() {
    let tebibyte = Some(1 << 40);
    obs_runtime::track_cost(&QueryStatistics {
        bytes_processed: 1 << 40,
        bytes_billed: tebibyte,
        ..QueryStatistics::default()
    });
}

#[dq_check(dataset = "users", fail_above = 0)]
fn null_ids() -> u8 {
    0
}

#[tracked_command(cron = "0 3 * * *", max_runtime = "30m")]
fn nightly(way: &str) -> Result<(), String> {
    query();
    obs_runtime::run_dq_checks().wait();
    match way {
        "ok" => Ok(()),
        "panic" => panic!("asked to panic"),
        "hang" => loop {
            std::thread::park();
        },
        _ => Err("asked to fail".to_owned()),
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guard = obs_runtime::init_observability()?;
    let way = std::env::args().nth(1).unwrap_or_default();
    if way != "serve" {
        return nightly(&way).map_err(Into::into);
    }
    if let Some(address) = guard.metrics_address() {
        println!("{address}");
    }
    for way in std::io::stdin().lock().lines() {
        let way = way?;
        let _ = catch_unwind(AssertUnwindSafe(|| nightly(&way)));
    }
    Ok(())
}
