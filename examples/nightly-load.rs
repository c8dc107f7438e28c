//! nightly-load: loads a public dataset into SQLite, checks its quality, estimates the cost of a report in BigQuery, and prints
//! a summary. Its logs and metrics come from the attributes.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::OnceLock;

use anyhow::Context as _;
use clap::{Parser, ValueEnum};
use obs_examples::dataset::{LoadReport, load_csv};
use obs_examples::summary::Summary;
use obs_runtime::bigquery::estimate::{Catalogue, Estimate, estimate};
use obs_runtime::tables::{SqliteTable, accepted_values, null_ratio};
use obs_runtime::{
    Measured, Observability, bq_cost, dq_check, track_performance, tracked_command, with_error_tracking,
};
use rusqlite::Connection;

/// Loads the Palmer penguins, checks them, estimates the cost of the report, and prints a summary.
#[derive(Parser)]
struct Arguments {
    /// The CSV file to load.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins_raw.csv"))]
    data: PathBuf,
    /// The folder of the database, and of the metrics unless `PROMETHEUS_TEXTFILE_DIR` is set.
    #[arg(long, default_value = "target/nightly-load")]
    output: PathBuf,
    /// The lowest severity at which a failed check fails the job.
    #[arg(long, value_enum, default_value = "critical")]
    fail_on: FailOn,
}

#[derive(Clone, Copy, ValueEnum)]
enum FailOn {
    Warning,
    Critical,
}

static DATABASE: OnceLock<PathBuf> = OnceLock::new();

fn database() -> anyhow::Result<Connection> {
    let path = DATABASE.get().context("the database does not exist before the load")?;
    Connection::open(path).with_context(|| format!("cannot open {}", path.display()))
}

fn penguins() -> anyhow::Result<SqliteTable> {
    Ok(SqliteTable::new(DATABASE.get().context("the database does not exist before the load")?, "penguins"))
}

fn one_number(sql: &str) -> anyhow::Result<f64> {
    Ok(database()?.query_row(sql, [], |row| row.get(0))?)
}

#[track_performance(name = "load_penguins", slo = "99%", slo_latency = "30s")]
#[with_error_tracking(name = "load_penguins", context(file = data.display()))]
fn load(data: &Path, output: &Path) -> anyhow::Result<LoadReport> {
    std::fs::create_dir_all(output).with_context(|| format!("cannot create {}", output.display()))?;
    let path = DATABASE.get_or_init(|| output.join("penguins.sqlite"));
    let mut connection = Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let report = load_csv(&mut connection, "penguins", data)?;
    tracing::info!(rows = report.rows, replaced = report.replaced, "loaded the penguins");
    Ok(report)
}

#[dq_check(dataset = "penguins", fail_below = 300, owner = "data-platform")]
fn enough_rows() -> anyhow::Result<f64> {
    one_number("SELECT count(*) * 1.0 FROM penguins")
}

#[dq_check(dataset = "penguins", column = "body_mass_g", warn_above = 0.005, fail_above = 0.05)]
async fn missing_body_mass() -> anyhow::Result<Measured> {
    Ok(null_ratio(&penguins()?, "body_mass_g").measure().await?)
}

#[dq_check(dataset = "penguins", column = "body_mass_g", fail_below = 2500)]
fn lightest_penguin_grams() -> anyhow::Result<f64> {
    one_number("SELECT min(body_mass_g) * 1.0 FROM penguins")
}

/// The documentation of the file calls `Individual ID` unique, but it is not.
#[dq_check(dataset = "penguins", column = "individual_id", severity = "warning", fail_above = 0)]
fn repeated_individuals() -> anyhow::Result<f64> {
    one_number("SELECT (count(*) - count(DISTINCT individual_id)) * 1.0 FROM penguins")
}

#[dq_check(dataset = "penguins", column = "island", severity = "warning", fail_above = 0)]
async fn unknown_islands() -> anyhow::Result<Measured> {
    Ok(accepted_values(&penguins()?, "island", ["Biscoe", "Dream", "Torgersen"]).sampled().measure().await?)
}

/// The cost of a report in BigQuery. No query runs.
#[track_performance]
#[bq_cost(query_type = "report", dataset = "samples", alert_over_usd = 1.0)]
fn price_report() -> anyhow::Result<Estimate> {
    let sql = "SELECT mother_married, AVG(weight_pounds) AS weight \
               FROM `bigquery-public-data.samples.natality` GROUP BY mother_married";
    let estimate = estimate(sql, &Catalogue::shipped()?, obs_runtime::bigquery::Pricing::current().usd_per_tib)?;
    obs_runtime::track_estimate(
        estimate.processed_bytes.context("the catalogue does not have the tables of the report")?,
    );
    Ok(estimate)
}

#[tracked_command(
    args(data = data.display(), output = output.display()),
    cron = "30 2 * * *",
    timezone = "Europe/Berlin",
    margin = "5m",
    max_runtime = "10m",
    owner = "data-platform",
    runbook = "https://wiki.example/nightly-load",
    slo = "99%"
)]
fn nightly_load(data: &Path, output: &Path) -> anyhow::Result<Summary> {
    let load = load(data, output)?;
    let quality = obs_runtime::run_dq_checks().wait();
    let report = price_report()?;
    Ok(Summary { load, quality, report })
}

fn main() -> ExitCode {
    if let Some(code) = obs_examples::generate() {
        return code;
    }
    let arguments = Arguments::parse();
    let builder = Observability::builder().version(env!("CARGO_PKG_VERSION")).defaults(|config| {
        config.service_name = "nightly-load".to_owned();
        config.prometheus_textfile_dir = Some(arguments.output.clone());
        // A collector is configured, so the run is to be seen there.
        config.tracing_enabled = std::env::var_os("OTEL_EXPORTER_OTLP_ENDPOINT").is_some();
        config.tracing_sample_rate = 1.0;
    });
    let _guard = match builder.init() {
        Ok(guard) => guard,
        Err(error) => {
            eprintln!("{error}");
            return ExitCode::from(2);
        }
    };
    match nightly_load(&arguments.data, &arguments.output) {
        Ok(summary) => {
            println!("{summary}");
            let strict = matches!(arguments.fail_on, FailOn::Warning);
            if summary.quality.passed() && !(strict && summary.findings() > 0) {
                ExitCode::SUCCESS
            } else {
                ExitCode::from(1)
            }
        }
        Err(error) => {
            eprintln!("nightly-load: {error:#}");
            ExitCode::from(2)
        }
    }
}
