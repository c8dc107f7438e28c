//! A program that embeds the commands of obs. Environment variables decide what its checks find.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use obs_runtime::{Health, HealthCheck, Measured, Observability, cli, dq_check, health_check, tracked_command};

#[derive(Parser)]
enum Command {
    /// Loads yesterday's data.
    Load,
    #[command(flatten)]
    Obs(cli::Command),
}

fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some()
}

#[health_check(groups("live", "ready"))]
fn database() -> Result<(), String> {
    if is_set("TEST_DOWN") { Err("postgres://ada:hunter2@db\nis <down> & out\u{1b}[31m".to_owned()) } else { Ok(()) }
}

#[health_check(after("database"), critical = false)]
fn replica() -> Health {
    if is_set("TEST_LAGS") { Health::degraded("3 s behind") } else { Health::healthy() }
}

/// Counts the users without an id,
/// which nothing can refer to.
///
/// It blocks the rest.
#[dq_check(
    dataset = "users",
    column = "id",
    owner = "growth",
    runbook = "https://wiki.example.org/null-ids",
    fail_above = 0,
    blocking = true,
    tags(tier = "gold")
)]
fn null_ids() -> u8 {
    u8::from(is_set("TEST_DOWN"))
}

#[dq_check(dataset = "users", severity = "warning", fail_above = 0.1)]
fn odd_names() -> Measured {
    Measured::ratio(1, 4).with_sample(["<b>&amp;</b>"])
}

#[dq_check(dataset = "users", warn_above = 1)]
fn repeated() -> u8 {
    if let Some(file) = std::env::var_os("TEST_WAIT_FOR") {
        while !std::path::Path::new(&file).exists() {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
    }
    2
}

#[dq_check(for_each = ["orders", "returns"])]
fn readable(table: &str) -> Result<bool, String> {
    if table == "returns" && is_set("TEST_LAGS") { Err("no such table: returns".to_owned()) } else { Ok(true) }
}

#[tracked_command(cron = "@daily")]
fn load() -> Result<(), Box<dyn std::error::Error>> {
    if is_set("TEST_DOWN") {
        // An error whose message contains that of its source, and a secret.
        return Err(io::Error::other("users.csv: token=hunter22 is\nnot taken").into());
    }
    Ok(())
}

/// Commands whose schedules are difficult: at changes of the clock, on days that not each month has, by either day. No test runs them.
#[expect(dead_code, reason = "what is declared is enough for `generate`")]
mod scheduled {
    use obs_runtime::tracked_command;

    #[tracked_command(
        cron = "*/30 0-4 * * *",
        timezone = "Europe/Berlin",
        margin = "5m",
        max_runtime = "30m",
        owner = "data",
        runbook = "https://wiki.example.org/100%25"
    )]
    fn nightly() {}

    #[tracked_command(cron = "0 0 31 * *")]
    fn month_end() {}

    #[tracked_command(cron = "*/30 8-17 * * mon-fri", timezone = "America/New_York")]
    fn office_hours() {}

    #[tracked_command(cron = "45 1 1,15 * sun", timezone = "Australia/Lord_Howe")]
    fn twice_a_month() {}

    #[tracked_command(every = "10m")]
    fn refresh() {}
}

fn main() -> ExitCode {
    let command = Command::parse();
    let port = std::env::var("TEST_PORT").ok().and_then(|port| port.parse().ok()).unwrap_or(0);
    let builder = Observability::builder().version("1.2.3").prometheus_port(port);
    let builder = match std::env::var("TEST_RATE").ok().and_then(|rate| rate.parse().ok()) {
        Some(rate) => builder.tracing_sample_rate(rate),
        None => builder,
    };
    let _guard = match builder.init() {
        Ok(guard) => Some(guard),
        Err(_) if matches!(&command, Command::Obs(command) if !command.needs_init()) => None,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    if is_set("TEST_TWICE") {
        HealthCheck::new("database", || ()).register();
    }
    match command {
        Command::Load => load().map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS),
        Command::Obs(command) => command.run(),
    }
}
