//! health-check: is everything there that the jobs of this folder need?

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use obs_runtime::bigquery::estimate::Catalogue;
use obs_runtime::{Health, health_check, run_health_checks};
use rusqlite::{Connection, OpenFlags};

/// Runs the health checks. Exits with 0 when healthy, 1 degraded, 2 unhealthy, 3 unknown or wrong use.
#[derive(Parser)]
struct Arguments {
    /// For people or for programs.
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// The longest that any check may take, as 500ms or 5s.
    #[arg(long, value_parser = duration)]
    timeout: Option<Duration>,
}

#[derive(Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; allowed is a number and a unit, as 500ms, 5s or 1m")),
    }
}

/// SQLite works; with `HEALTH_DATABASE` set, that file is there and undamaged.
#[health_check(timeout = "2s")]
fn database() -> anyhow::Result<()> {
    let connection = match std::env::var_os("HEALTH_DATABASE") {
        Some(path) => Connection::open_with_flags(&path, OpenFlags::SQLITE_OPEN_READ_ONLY)
            .with_context(|| format!("cannot open HEALTH_DATABASE={}", path.display()))?,
        None => Connection::open_in_memory()?,
    };
    let verdict: String = connection.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    anyhow::ensure!(verdict == "ok", "{verdict}");
    Ok(())
}

/// Results can be written to a temporary file.
#[health_check(timeout = "2s")]
fn scratch_space() -> std::io::Result<()> {
    std::io::Write::write_all(&mut tempfile::tempfile()?, &[0; 4096])
}

/// Prices can be told offline. Without them jobs run, but nobody knows what they will cost.
#[health_check(critical = false)]
fn price_catalogue() -> anyhow::Result<Health> {
    let catalogue = match std::env::var_os("HEALTH_CATALOGUE") {
        Some(path) => Catalogue::load(PathBuf::from(path))?,
        None => Catalogue::shipped()?,
    };
    Ok(if catalogue.tables.is_empty() { Health::degraded("the catalogue has no table") } else { Health::healthy() })
}

fn run(arguments: &Arguments) -> anyhow::Result<u8> {
    let _guard = obs_examples::tool("health-check").init()?;
    let checks = run_health_checks();
    let report = match arguments.timeout {
        Some(timeout) => checks.timeout(timeout).wait(),
        None => checks.wait(),
    };
    match arguments.format {
        Format::Json => println!("{}", serde_json::to_string_pretty(&report)?),
        Format::Text => print!("{}", obs_examples::summary::health(&report)),
    }
    Ok(report.status.exit_code())
}

fn main() -> ExitCode {
    const UNKNOWN: u8 = 3;
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Help is no wrong use.
            let code = if error.use_stderr() { UNKNOWN } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    ExitCode::from(run(&arguments).unwrap_or_else(|error| {
        eprintln!("health-check: {error:#}");
        UNKNOWN
    }))
}
