//! `bq-query-cost`: what a `BigQuery` query costs, before it runs and without an account.
//!
//! Standard output has the result alone. Exit code 0: within the limit; 3: over it, or it cannot
//! be said that it is not; 1: it could not be told.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::{Parser, ValueEnum};
use obs_examples::estimate::{self, Catalogue, Estimate, Figure};
use obs_runtime::{track_estimate, tracked_command};

/// The estimate is over the limit.
const OVER_THE_LIMIT: u8 = 3;

/// Tell what a BigQuery query costs, before it runs and without an account.
#[expect(clippy::doc_markdown, reason = "--help shows the backticks")]
#[derive(Debug, Parser)]
#[command(name = "bq-query-cost", version)]
#[command(after_help = "Exit codes: 0 within the limit, 3 over it, 1 when it could not be told.\n\
                        The price is BIGQUERY_USD_PER_TIB (default 6.25).")]
struct Args {
    /// The query; without it and --file it is read from standard input
    #[arg(conflicts_with = "file")]
    query: Option<String>,
    /// Read the query from this file
    #[arg(long)]
    file: Option<PathBuf>,
    /// The table catalogue, as JSON [default: one of bigquery-public-data]
    #[arg(long)]
    catalogue: Option<PathBuf>,
    /// How to show the result
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// The limit in US dollars [default: COST_ALERT_THRESHOLD_USD, or else 100]
    #[arg(long, value_parser = amount, allow_negative_numbers = true)]
    max_usd: Option<f64>,
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
    let config = guard.config();
    let max_usd = args.max_usd.unwrap_or(config.cost_alert_threshold_usd);
    run(&args, config.bigquery_usd_per_tib, max_usd).unwrap_or_else(|error| {
        complain(&format!("{error:#}"));
        ExitCode::FAILURE
    })
}

#[tracked_command(name = "bq-query-cost", args(max_usd))]
fn run(args: &Args, usd_per_tib: f64, max_usd: f64) -> anyhow::Result<ExitCode> {
    let catalogue = match &args.catalogue {
        Some(file) => Catalogue::load(file)?,
        None => Catalogue::shipped()?,
    };
    let estimate = estimate::estimate(&query(args)?, &catalogue, usd_per_tib)?;
    if let Some(bytes) = estimate.processed_bytes {
        track_estimate(bytes);
    }
    show(&estimate, args.format).context("the result cannot be written")?;
    let (Some(usd), figure) = (estimate.usd, &estimate.figure) else {
        bail!("what this query costs cannot be told");
    };
    if usd <= max_usd {
        return Ok(ExitCode::SUCCESS);
    }
    let costs = if *figure == Figure::Exact { "costs" } else { "may cost up to" };
    complain(&format!("this query {costs} ${usd:.6}, over the limit of ${max_usd}"));
    Ok(ExitCode::from(OVER_THE_LIMIT))
}

/// The query's text, from wherever it was given.
fn query(args: &Args) -> anyhow::Result<String> {
    if let Some(query) = &args.query {
        return Ok(query.clone());
    }
    if let Some(file) = &args.file {
        return std::fs::read_to_string(file).with_context(|| format!("{}: cannot be read", file.display()));
    }
    let mut query = String::new();
    let read = io::stdin().read_to_string(&mut query);
    read.context("standard input cannot be read")?;
    Ok(query)
}

fn show(estimate: &Estimate, format: Format) -> anyhow::Result<()> {
    let mut text = String::new();
    match format {
        Format::Text => write!(text, "{estimate}")?,
        Format::Json => writeln!(text, "{}", serde_json::to_string_pretty(estimate)?)?,
    }
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
