//! A scheduled job with costs, a budget and checks, for alerts. Its first argument is the way each run ends: `ok`, `error`,
//! `panic` or `hang`; in a `bad` run all that it checks, spends and calls is bad, and it takes some seconds. With
//! `obs` it runs a command for operators. With `serve` it writes the address of its metrics to standard output and then makes one run for
//! each line of its standard input.

use std::io::BufRead as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use obs_runtime::{CostRefused, QueryStatistics, reserve_cost, track_cost};
use obs_runtime::{bq_cost, dq_check, health_check, track_performance, tracked_command};

/// 6.25 US dollars on demand.
const TEBIBYTE: u64 = 1 << 40;

/// How long a bad run takes.
const LONG: Duration = Duration::from_millis(2600);

/// Whether this run is bad.
static BAD: AtomicBool = AtomicBool::new(false);

fn is_bad() -> bool {
    BAD.load(Ordering::SeqCst)
}

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), ..QueryStatistics::default() }
}

#[bq_cost(alert_over_usd = 10.0, owner = "finance", runbook = "https://wiki.example/cost")]
fn query(bytes: u64) {
    track_cost(&billed(bytes));
}

#[bq_cost(budget = "nightly")]
fn spend() -> Result<(), CostRefused> {
    reserve_cost(TEBIBYTE)?.settle(&billed(TEBIBYTE));
    Ok(())
}

#[dq_check(
    dataset = "users",
    fail_above = 0,
    severity = "critical",
    owner = "growth",
    runbook = "https://wiki.example/ids"
)]
fn null_ids() -> u8 {
    u8::from(is_bad())
}

#[health_check]
fn database() -> Result<(), String> {
    if is_bad() { Err("down".to_owned()) } else { Ok(()) }
}

#[track_performance]
fn request() {
    if is_bad() {
        std::thread::sleep(LONG);
    }
}

#[track_performance(slo = "99.9%", slo_latency = "1s", runbook = "https://wiki.example/store")]
fn store() -> Result<(), String> {
    if is_bad() { Err("full".to_owned()) } else { Ok(()) }
}

#[tracked_command(
    cron = "0 3 * * *",
    max_runtime = "2s",
    owner = "data-platform",
    runbook = "https://wiki.example/nightly",
    slo = "99%"
)]
fn nightly(way: &str) -> Result<(), String> {
    BAD.store(way == "bad", Ordering::SeqCst);
    query(if is_bad() { 2 * TEBIBYTE } else { TEBIBYTE });
    obs_runtime::run_dq_checks().wait();
    obs_runtime::run_health_checks().wait();
    request();
    let _ = store();
    match way {
        "ok" => Ok(()),
        "bad" => spend().map_err(|refused| refused.to_string()),
        "panic" => panic!("asked to panic"),
        "hang" => loop {
            std::thread::park();
        },
        _ => Err("asked to fail".to_owned()),
    }
}

/// Commands for operators.
#[derive(clap::Parser)]
struct Obs {
    #[command(subcommand)]
    command: obs_runtime::cli::Command,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    if std::env::args().nth(1).is_some_and(|word| word == "obs") {
        let Obs { command } = clap::Parser::parse_from(std::env::args_os().skip(1));
        return if command.run() == std::process::ExitCode::SUCCESS { Ok(()) } else { Err("see above".into()) };
    }
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
