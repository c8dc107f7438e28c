//! health-check: checks what the other examples need.

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::Parser;
use obs_runtime::bigquery::estimate::Catalogue;
use obs_runtime::cli::HealthArguments;
use obs_runtime::{Health, health_check};
use rusqlite::{Connection, OpenFlags};

/// Runs the health checks. Exits with 0 when healthy, 1 degraded, 2 unhealthy, 3 when unknown or called incorrectly.
#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    health: HealthArguments,
}

/// SQLite works, and the file `HEALTH_DATABASE`, if set, exists and is intact.
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

/// Costs can be estimated offline. Jobs run without that, but their cost is unknown.
#[health_check(critical = false)]
fn price_catalogue() -> anyhow::Result<Health> {
    let catalogue = match std::env::var_os("HEALTH_CATALOGUE") {
        Some(path) => Catalogue::load(PathBuf::from(path))?,
        None => Catalogue::shipped()?,
    };
    Ok(if catalogue.tables.is_empty() { Health::degraded("the catalogue has no table") } else { Health::healthy() })
}

/// The exit code of wrong use.
const UNKNOWN: u8 = 3;

fn main() -> ExitCode {
    if let Some(code) = obs_examples::generate() {
        return code;
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // Requested help is not an error.
            let code = if error.use_stderr() { UNKNOWN } else { 0 };
            let _ = error.print();
            return ExitCode::from(code);
        }
    };
    match obs_examples::tool("health-check").init() {
        Ok(_guard) => ExitCode::from(arguments.health.run()),
        Err(error) => {
            eprintln!("health-check: {error}");
            ExitCode::from(UNKNOWN)
        }
    }
}
