//! A job and a service with everything that `generate prometheus` makes alerts of, due every minute, which is the shortest interval.
//! Its first argument is the command, its second the way of the run: `ok`, `bad` (all that it checks, calls and spends is bad, and it
//! fails), `spend` (a bad run that draws on every budget), `errored` (a check comes to no result), `odd` (a check of health changes)
//! or `hang`. With `serve` it writes the address of its metrics to standard output, makes one run for each line of its standard input,
//! `COMMAND WAY`, and writes `done`. With `obs` it runs a command for operators.

use std::collections::BTreeMap;
use std::io::{BufRead as _, Write as _};
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use obs_runtime::{CostRefused, Health, QueryStatistics, reserve_cost, track_cost, track_feature};
use obs_runtime::{
    bq_cost, dq_check, health_check, run_dq_checks, run_health_checks, track_performance, tracked_command,
};

/// Costs 6.25 US dollars on demand.
const TEBIBYTE: u64 = 1 << 40;

const WAYS: [&str; 6] = ["ok", "bad", "spend", "errored", "odd", "hang"];

/// The place of this run's way among [`WAYS`].
static WAY: AtomicU8 = AtomicU8::new(0);

fn is(ways: &[&str]) -> bool {
    ways.contains(&WAYS[usize::from(WAY.load(Ordering::SeqCst))])
}

fn is_bad() -> bool {
    is(&["bad", "spend"])
}

fn billed(bytes: u64) -> QueryStatistics {
    QueryStatistics { bytes_processed: bytes, bytes_billed: Some(bytes), ..QueryStatistics::default() }
}

#[bq_cost(alert_over_usd = 10.0, owner = "finance", runbook = "https://wiki.example/query")]
fn query() {
    track_cost(&billed(if is_bad() { 2 * TEBIBYTE } else { TEBIBYTE / 100 }));
}

#[bq_cost(budget = "burning")]
fn spend_steadily() -> Result<(), CostRefused> {
    reserve_cost(TEBIBYTE)?.settle(&billed(TEBIBYTE));
    Ok(())
}

#[bq_cost(budget = "nearly")]
fn spend_most() -> Result<(), CostRefused> {
    reserve_cost(TEBIBYTE)?.settle(&billed(TEBIBYTE));
    Ok(())
}

#[bq_cost(budget = "all")]
fn spend_all() -> Result<(), CostRefused> {
    reserve_cost(TEBIBYTE)?.settle(&billed(TEBIBYTE));
    Ok(())
}

#[dq_check(
    dataset = "users",
    fail_above = 0,
    severity = "critical",
    owner = "growth",
    runbook = "https://wiki.example/null-ids"
)]
fn null_ids() -> u8 {
    u8::from(is_bad())
}

#[dq_check(
    dataset = "users",
    fail_above = 0,
    severity = "warning",
    owner = "growth",
    runbook = "https://wiki.example/readable"
)]
fn readable() -> Result<u8, String> {
    if is(&["errored"]) { Err("no such table".to_owned()) } else { Ok(0) }
}

/// Runs only within `sync`.
#[dq_check(
    dataset = "users",
    fail_above = 0,
    severity = "critical",
    owner = "growth",
    runbook = "https://wiki.example/stale-ids"
)]
fn stale_ids() -> u8 {
    0
}

#[health_check(owner = "storage", runbook = "https://wiki.example/database")]
fn database() -> Result<(), String> {
    if is_bad() { Err("down".to_owned()) } else { Ok(()) }
}

#[health_check(critical = false)]
fn replica() -> Health {
    if is(&["odd"]) { Health::degraded("behind") } else { Health::healthy() }
}

#[track_performance(slo = "99.9%", slo_latency = "250ms", owner = "web", runbook = "https://wiki.example/request")]
fn request() -> Result<(), String> {
    if is_bad() {
        std::thread::sleep(Duration::from_millis(300));
        return Err("full".to_owned());
    }
    Ok(())
}

#[tracked_command(slo = "99%", slo_latency = "500ms", owner = "growth", runbook = "https://wiki.example/ad-hoc")]
fn ad_hoc() -> Result<(), String> {
    if is(&["hang"]) {
        loop {
            std::thread::park();
        }
    }
    if is_bad() {
        std::thread::sleep(Duration::from_secs(1));
        return Err("asked to fail".to_owned());
    }
    Ok(())
}

#[tracked_command(
    every = "1m",
    margin = "1s",
    max_runtime = "3s",
    owner = "data-platform",
    runbook = "https://wiki.example/refresh",
    slo = "99%",
    slo_latency = "500ms"
)]
fn refresh() -> Result<(), String> {
    query();
    run_dq_checks().only(["null_ids", "readable"]).wait();
    run_health_checks().wait();
    let _ = request();
    let of_ad_hoc = ad_hoc();
    if is_bad() {
        let _ = spend_steadily();
        // More than `OBS_MAX_SERIES`.
        (0..100).for_each(|number| track_feature(format!("feature-{number}")));
    }
    if is(&["spend"]) {
        spend_most().and_then(|()| spend_all()).map_err(|refused| refused.to_string())?;
    }
    of_ad_hoc
}

#[tracked_command(
    every = "1m",
    margin = "1s",
    max_runtime = "3s",
    owner = "data-platform",
    runbook = "https://wiki.example/sync"
)]
fn sync() {
    run_dq_checks().only(["stale_ids"]).wait();
}

#[tracked_command(
    every = "1m",
    margin = "1s",
    max_runtime = "3s",
    owner = "data-platform",
    runbook = "https://wiki.example/late"
)]
fn late() {}

fn run(command: &str, way: &str) -> Result<(), String> {
    let place = WAYS.iter().position(|known| *known == way).ok_or("unknown way")?;
    WAY.store(u8::try_from(place).unwrap_or_default(), Ordering::SeqCst);
    let commands: BTreeMap<&str, fn() -> Result<(), String>> = BTreeMap::from([
        ("refresh", refresh as fn() -> _),
        ("ad-hoc", ad_hoc),
        ("sync", || {
            sync();
            Ok(())
        }),
        ("late", || {
            late();
            Ok(())
        }),
    ]);
    commands.get(command).ok_or("unknown command")?()
}

/// Commands for operators.
#[derive(clap::Parser)]
struct Obs {
    #[command(subcommand)]
    command: obs_runtime::cli::Command,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["obs", ..] => {
            let Obs { command } = clap::Parser::parse_from(words);
            if command.run() != std::process::ExitCode::SUCCESS {
                return Err("see above".into());
            }
        }
        ["serve"] => {
            let guard = obs_runtime::init_observability()?;
            let mut output = std::io::stdout().lock();
            writeln!(output, "{}", guard.metrics_address().map(|address| address.to_string()).unwrap_or_default())?;
            for line in std::io::stdin().lock().lines() {
                let line = line?;
                let (command, way) = line.split_once(' ').unwrap_or((&line, "ok"));
                let _ = run(command, way);
                writeln!(output, "done")?;
            }
        }
        [command, way] => {
            let _guard = obs_runtime::init_observability()?;
            run(command, way)?;
        }
        _ => return Err("a command and its way, or `serve`, or `obs`".into()),
    }
    Ok(())
}
