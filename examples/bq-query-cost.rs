//! `bq-query-cost`: estimates the cost of `BigQuery` queries, by a dry run with an account or from a catalogue without one.
//!
//! Standard output has only the result. Exit codes: 0 within the limit, 3 over it, 1 when the cost is unknown.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime};

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use obs_examples::query_cost::{Assumptions, Estimator, PricedQuery, Report, Source};
use obs_runtime::bigquery::Client;
use obs_runtime::bigquery::estimate::{Catalogue, Figure};
use obs_runtime::{Config, track_estimate, tracked_command};

/// The exit code for a cost over the limit.
const OVER_THE_LIMIT: u8 = 3;

/// Estimate the cost of BigQuery queries before they run, with or without an account.
#[expect(clippy::doc_markdown, reason = "--help shows the backticks")]
#[derive(Debug, Parser)]
#[command(name = "bq-query-cost", version, args_conflicts_with_subcommands = true)]
#[command(after_help = "With an account (GOOGLE_APPLICATION_CREDENTIALS, `gcloud auth application-default login` or \
                        BIGQUERY_EMULATOR_HOST) the estimate is a dry run, which is free; without one, the catalogue is used.\n\
                        Exit codes: 0 within the limit, 3 over it, 1 when the cost is unknown.\n\
                        The price is BIGQUERY_USD_PER_TIB (default 6.25; in other locations such as \
                        6.25,europe-west3=8.13) per TiB (2^40 bytes), with at least 10 MiB for each table. The free first TiB of \
                        a month is not considered. With BIGQUERY_PRICING=edition, and for CREATE MODEL without \
                        BIGQUERY_STATEMENT_USD_PER_TIB, the cost is unknown.")]
struct Args {
    #[command(subcommand)]
    command: Option<Command>,
    /// The query [default: standard input]
    #[arg(conflicts_with = "file")]
    query: Option<String>,
    /// Read a query from this file; may be repeated
    #[arg(long)]
    file: Vec<PathBuf>,
    /// The table catalogue as JSON [default: tables of bigquery-public-data]
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// The output format
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The limit for each query in US dollars [default: COST_ALERT_THRESHOLD_USD, or else 100]
    #[arg(long, value_parser = amount, allow_negative_numbers = true)]
    max_usd: Option<f64>,
    /// Use the catalogue even with an account
    #[arg(long, conflicts_with = "compare")]
    offline: bool,
    /// Compare a dry run with the catalogue
    #[arg(long)]
    compare: bool,
    /// The project for dry runs, and of tables named without one [default: GOOGLE_CLOUD_PROJECT, or the account's]
    #[arg(long, global = true)]
    project: Option<String>,
    /// The value of a parameter for an estimate from the catalogue, such as day=2026-11-26; may be repeated
    #[arg(long, value_name = "NAME=VALUE", value_parser = parameter)]
    param: Vec<(String, String)>,
    /// When the query runs, for an estimate from the catalogue: the value of CURRENT_DATE() and the like
    #[arg(long, value_name = "TIME", value_parser = time)]
    now: Option<SystemTime>,
    /// The greatest age of the sizes in the catalogue, such as 7d; the cost of a query that needs older ones is unknown
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    max_age: Option<Duration>,
    /// The location of the query, such as EU or europe-west3, for its price [default: that of the tables in a dry run]
    #[arg(long)]
    location: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Write a catalogue of BigQuery tables, for estimates without an account
    #[expect(clippy::doc_markdown, reason = "--help shows the backticks")]
    Snapshot {
        /// project.dataset.table, dataset.table, or a wildcard such as dataset.events_*
        #[arg(required = true)]
        tables: Vec<String>,
        /// The file to write [default: standard output]
        #[arg(long)]
        output: Option<PathBuf>,
        /// Include partition sizes: a query of INFORMATION_SCHEMA for each table, billed as 10 MiB
        #[arg(long)]
        partitions: bool,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Text,
    Json,
}

fn main() -> ExitCode {
    if let Some(code) = obs_examples::generate() {
        return code;
    }
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Requested help is not an error. A failure to print cannot be reported.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let guard = match obs_examples::tool("bq-query-cost").init() {
        Ok(guard) => guard,
        Err(error) => {
            print_error(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let done = match &args.command {
        Some(Command::Snapshot { tables, output, partitions }) => {
            snapshot(tables, output.as_deref(), *partitions, args.project.as_deref())
        }
        None => run(&args, args.max_usd.unwrap_or(guard.config().cost_alert_threshold_usd), guard.config()),
    };
    done.unwrap_or_else(|error| {
        print_error(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

#[tracked_command(name = "bq-query-cost", args(max_usd))]
fn run(args: &Args, max_usd: f64, config: &Config) -> anyhow::Result<ExitCode> {
    let has_account = config.bigquery_emulator_host.is_some() || obs_runtime::bigquery::has_credentials();
    let live = args.compare || has_account && !args.offline;
    let offline = args.compare || !live;
    let catalogue = match (&args.catalogue, offline) {
        (_, false) => None,
        (Some(file), true) => Some(Catalogue::load(file)?),
        (None, true) => Some(Catalogue::shipped()?),
    };
    let live = if live { Some(connect(args.project.as_deref())?) } else { None };
    let project = args.project.clone().or_else(|| std::env::var("GOOGLE_CLOUD_PROJECT").ok());
    let parameters = args.param.clone();
    let location = args.location.clone();
    let assumptions = Assumptions { now: args.now, parameters, project, max_age: args.max_age, location };
    let estimator = Estimator { catalogue, assumptions, live };
    let queries: Vec<PricedQuery> = sources(args)?.into_iter().map(|source| estimator.price(source)).collect();
    for bytes in queries.iter().filter_map(PricedQuery::bytes) {
        track_estimate(bytes);
    }
    show(&Report { queries: &queries, max_usd }, args.format).context("the result cannot be written")?;
    Ok(exit_code(&queries, max_usd))
}

/// Reports queries whose cost is unknown or over the limit on standard error, and returns the exit code.
fn exit_code(queries: &[PricedQuery], max_usd: f64) -> ExitCode {
    let report = |query: &PricedQuery, message: &str| match &query.source.file {
        Some(file) => print_error(&format!("{}: {message}", file.display())),
        None => print_error(message),
    };
    let mut code = ExitCode::SUCCESS;
    for query in queries {
        if let Some(error) = query.error() {
            report(query, &error);
            code = ExitCode::FAILURE;
        }
    }
    let cost = |query: &PricedQuery| query.usd().or_else(|| query.least_usd());
    for (query, usd) in queries.iter().filter_map(|query| Some((query, cost(query).filter(|usd| *usd > max_usd)?))) {
        // A dry run takes precedence and is an upper bound.
        let offline = query.offline.as_ref().filter(|_| query.dry_run.is_none());
        let is_exact = matches!(offline, Some(Ok(estimate)) if estimate.figure == Figure::Exact);
        let verb = match query.usd() {
            None => "costs at least",
            Some(_) if is_exact => "costs",
            Some(_) => "may cost up to",
        };
        report(query, &format!("this query {verb} ${usd:.6}, over the limit of ${max_usd}"));
        code = ExitCode::from(OVER_THE_LIMIT);
    }
    code
}

#[tracked_command(name = "bq-query-cost-snapshot")]
fn snapshot(
    tables: &[String],
    output: Option<&Path>,
    partitions: bool,
    project: Option<&str>,
) -> anyhow::Result<ExitCode> {
    let (runtime, client) = connect(project)?;
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    let catalogue = runtime.block_on(client.snapshot(&names, partitions))?;
    let json = serde_json::to_string_pretty(&catalogue)? + "\n";
    match output {
        Some(file) => std::fs::write(file, json).with_context(|| format!("{}: cannot be written", file.display()))?,
        None => io::stdout().lock().write_all(json.as_bytes())?,
    }
    Ok(ExitCode::SUCCESS)
}

fn connect(project: Option<&str>) -> anyhow::Result<(tokio::runtime::Runtime, Client)> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let builder = match project {
        Some(project) => Client::builder().project(project),
        None => Client::builder(),
    };
    let client = runtime.block_on(builder.build())?;
    Ok((runtime, client))
}

/// The queries of the arguments, the files or standard input.
fn sources(args: &Args) -> anyhow::Result<Vec<Source>> {
    if let Some(query) = &args.query {
        return Ok(vec![Source { file: None, sql: query.clone() }]);
    }
    let read = |file: &PathBuf| {
        let sql = std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()))?;
        Ok(Source { file: Some(file.clone()), sql })
    };
    if let [only] = args.file.as_slice() {
        return Ok(vec![Source { file: None, ..read(only)? }]);
    }
    if !args.file.is_empty() {
        return args.file.iter().map(read).collect();
    }
    let mut sql = String::new();
    io::stdin().read_to_string(&mut sql).context("standard input cannot be read")?;
    Ok(vec![Source { file: None, sql }])
}

fn show(report: &Report<'_>, format: Format) -> anyhow::Result<()> {
    let text = match format {
        Format::Text => report.to_string(),
        Format::Json => serde_json::to_string_pretty(&report.to_json()?)? + "\n",
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

/// Prints to standard error. A failure to print cannot be reported.
fn print_error(message: &str) {
    let _ = writeln!(io::stderr(), "bq-query-cost: {message}");
}

/// Parses the name and the value of a parameter.
fn parameter(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once('=').unwrap_or_default();
    let name = name.trim_start_matches('@');
    if name.is_empty() {
        return Err("is not allowed; what is allowed is NAME=VALUE, such as day=2026-11-26");
    }
    Ok((name.to_owned(), value.to_owned()))
}

/// Parses a date, or a time in RFC 3339.
fn time(text: &str) -> Result<SystemTime, &'static str> {
    let time = if text.len() == 10 { format!("{text}T00:00:00Z") } else { text.to_owned() };
    humantime::parse_rfc3339(&time)
        .map_err(|_| "is not allowed; what is allowed is a date or a time in UTC, such as 2026-11-26T07:00:00Z")
}

/// Parses a number of US dollars.
fn amount(text: &str) -> Result<f64, &'static str> {
    let amount = text.parse().ok();
    amount
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
        .ok_or("is not allowed; what is allowed is a number that is not negative, such as 6.25")
}
