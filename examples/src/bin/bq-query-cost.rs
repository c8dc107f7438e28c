//! `bq-query-cost`: what `BigQuery` queries cost, before they run: by a dry run where there is an account, from a
//! catalogue where there is none.
//!
//! Standard output has the result alone. Exit code 0: within the limit; 3: over it; 1: the cost is unknown, or an error.

use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Parser, Subcommand, ValueEnum};
use obs_examples::query_cost::{Estimator, PricedQuery, Report, Source};
use obs_runtime::bigquery::Client;
use obs_runtime::bigquery::estimate::{Catalogue, Figure};
use obs_runtime::{Config, track_estimate, tracked_command};

/// The estimate is over the limit.
const OVER_THE_LIMIT: u8 = 3;

/// Show what BigQuery queries cost before they run: by a dry run, or without an account.
#[expect(clippy::doc_markdown, reason = "--help shows the backticks")]
#[derive(Debug, Parser)]
#[command(name = "bq-query-cost", version, args_conflicts_with_subcommands = true)]
#[command(
    after_help = "With an account (GOOGLE_APPLICATION_CREDENTIALS, what `gcloud auth application-default login` wrote, \
                        or BIGQUERY_EMULATOR_HOST) BigQuery is asked by a dry run, which is free; without one, the catalogue.\n\
                        Exit codes: 0 within the limit, 3 over it, 1 when the cost is unknown or for an error.\n\
                        The price is BIGQUERY_USD_PER_TIB (default 6.25) for each TiB (2^40 bytes), with 10 MiB for each table at \
                        least; the first free TiB of a month is not assumed."
)]
struct Args {
    #[command(subcommand)]
    other: Option<Other>,
    /// The query; without it and --file it is read from standard input
    #[arg(conflicts_with = "file")]
    query: Option<String>,
    /// Read a query from this file; several times for several
    #[arg(long)]
    file: Vec<PathBuf>,
    /// The table catalogue, as JSON [default: one of bigquery-public-data]
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The limit for each query in US dollars [default: COST_ALERT_THRESHOLD_USD, or else 100]
    #[arg(long, value_parser = amount, allow_negative_numbers = true)]
    max_usd: Option<f64>,
    /// Estimate from the catalogue even if there is an account
    #[arg(long, conflicts_with = "compare")]
    offline: bool,
    /// Estimate by a dry run and from the catalogue
    #[arg(long)]
    compare: bool,
    /// The project whose dry runs these are [default: GOOGLE_CLOUD_PROJECT, or the account's]
    #[arg(long, global = true)]
    project: Option<String>,
}

#[derive(Debug, Subcommand)]
enum Other {
    /// Write what BigQuery knows of tables as a catalogue, to estimate by without an account
    #[expect(clippy::doc_markdown, reason = "--help shows the backticks")]
    Snapshot {
        /// project.dataset.table, dataset.table, or a wildcard as dataset.events_*
        #[arg(required = true)]
        tables: Vec<String>,
        /// The file to write [default: standard output]
        #[arg(long)]
        output: Option<PathBuf>,
        /// The size of each partition too: a query of INFORMATION_SCHEMA for each table, billed 10 MiB
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
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help that was asked for is no mistake; if it cannot be shown, nothing can.
            let _ = error.print();
            return ExitCode::from(u8::from(error.use_stderr()));
        }
    };
    let guard = match obs_examples::tool("bq-query-cost").init() {
        Ok(guard) => guard,
        Err(error) => {
            complain(&error.to_string());
            return ExitCode::FAILURE;
        }
    };
    let done = match &args.other {
        Some(Other::Snapshot { tables, output, partitions }) => {
            snapshot(tables, output.as_deref(), *partitions, args.project.as_deref())
        }
        None => run(&args, args.max_usd.unwrap_or(guard.config().cost_alert_threshold_usd), guard.config()),
    };
    done.unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
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
    let estimator = Estimator { catalogue, live };
    let queries: Vec<PricedQuery> = sources(args)?.into_iter().map(|source| estimator.price(source)).collect();
    for bytes in queries.iter().filter_map(PricedQuery::bytes) {
        track_estimate(bytes);
    }
    show(&Report { queries: &queries, max_usd }, args.format).context("the result cannot be written")?;
    Ok(verdict(&queries, max_usd))
}

/// Says on standard error which queries are over the limit, and whose cost is unknown.
fn verdict(queries: &[PricedQuery], max_usd: f64) -> ExitCode {
    let mut code = ExitCode::SUCCESS;
    for query in queries {
        let of = if let Some(file) = &query.source.file { format!("{}: ", file.display()) } else { String::new() };
        if let Some(fault) = query.fault() {
            complain(&format!("{of}{fault}"));
            code = ExitCode::FAILURE;
        }
    }
    for (query, usd) in queries.iter().filter_map(|query| Some((query, query.usd().filter(|usd| *usd > max_usd)?))) {
        // What counts is the dry run, where there is one, and that is a bound.
        let offline = query.offline.as_ref().filter(|_| query.dry_run.is_none());
        let is_exact = matches!(offline, Some(Ok(estimate)) if estimate.figure == Figure::Exact);
        let costs = if is_exact { "costs" } else { "may cost up to" };
        let of = if let Some(file) = &query.source.file { format!("{}: ", file.display()) } else { String::new() };
        complain(&format!("{of}this query {costs} ${usd:.6}, over the limit of ${max_usd}"));
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

/// The queries, from wherever they were given.
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

/// Says what is wrong on standard error; where that is closed there is nobody to tell.
fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "bq-query-cost: {what}");
}

/// A number of US dollars.
fn amount(text: &str) -> Result<f64, &'static str> {
    let amount = text.parse().ok();
    amount
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
        .ok_or("is not allowed; what is allowed is a number from 0 up, as 6.25")
}
