//! `dq run` and `dq list`

use std::io::IsTerminal;
use std::sync::atomic::Ordering;
use std::time::Duration;

use console::Style;
#[cfg(unix)]
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

#[cfg(unix)]
use crate::base::standard_streams::StandardStream;
use crate::checks::quality::list::{instances, problems};
use crate::checks::quality::report::QualityReport;
use crate::checks::quality::run::{QualityRun, run_dq_checks};
use crate::checks::quality::status::QualityStatus;
use crate::exporters::log::log_output::PROGRESS_BAR_DRAWN;
use crate::program::cli::arguments::{Format, QualityFormat, duration};
use crate::program::cli::junit;
use crate::program::cli::output::{UNKNOWN, json, print, print_error, print_problems};
use crate::program::cli::table::{Cell, table};

/// How often the bar is drawn at most.
const DRAWN_A_SECOND: u8 = 20;

/// What to do with data-quality checks.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum DqCommand {
    /// Runs them: exits with 0 when the data can be used, 1 when not, 3 when there is nothing to check.
    Run(RunArguments),
    /// Lists them, without running any; lists of `for_each` are made for it.
    List(ListArguments),
}

impl DqCommand {
    pub(super) fn run(&self) -> u8 {
        if print_problems(&problems()) {
            return UNKNOWN;
        }
        match self {
            Self::Run(arguments) => arguments.run(),
            Self::List(arguments) => arguments.run(),
        }
    }
}

/// Which data-quality checks to run, and how to tell what they found.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArguments {
    /// Run these checks only: `rows[users]`, or all of `rows`.
    #[arg(value_name = "CHECK")]
    only: Vec<String>,
    /// Run the checks of this data set only; may be given again.
    #[arg(long, value_name = "NAME")]
    dataset: Vec<String>,
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    format: QualityFormat,
    /// The longest that any check may take, as 30s or 5m.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    timeout: Option<Duration>,
    /// How many checks may run at once.
    #[arg(long, value_name = "NUMBER")]
    at_once: Option<usize>,
}

impl RunArguments {
    fn run(&self) -> u8 {
        let mut run = self.dataset.iter().fold(run_dq_checks(), QualityRun::dataset);
        if !self.only.is_empty() {
            run = run.only(&self.only);
        }
        if let Some(timeout) = self.timeout {
            run = run.timeout(timeout);
        }
        if let Some(at_once) = self.at_once {
            run = run.at_once(at_once);
        }
        let report = watched(run);
        print(&match self.format {
            QualityFormat::Json => json(&report, true),
            QualityFormat::Junit => junit::quality(&report),
            QualityFormat::Openlineage => json(&report.openlineage(), false),
            QualityFormat::Text => text(&report),
        });
        if report.results.is_empty() {
            print_error("there is nothing to check");
            return UNKNOWN;
        }
        u8::from(!report.passed())
    }
}

/// Runs the checks, with a bar on a terminal.
fn watched(run: QualityRun) -> QualityReport {
    if !std::io::stderr().is_terminal() {
        return run.wait();
    }
    let bar = ProgressBar::new_spinner().with_message("checking");
    bar.set_draw_target(screen());
    bar.enable_steady_tick(Duration::from_millis(100));
    PROGRESS_BAR_DRAWN.store(true, Ordering::Relaxed);
    let told = bar.clone();
    let run = run.on_result(move |done, all, result| {
        // Before the first result nobody knows how many there will be.
        if told.length() != Some(all as u64) {
            told.set_length(all as u64);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_bar} {msg}") {
                told.set_style(style);
            }
        }
        told.set_position(done as u64);
        told.set_message(result.check.to_string());
    });
    let report = run.wait();
    PROGRESS_BAR_DRAWN.store(false, Ordering::Relaxed);
    bar.finish_and_clear();
    report
}

/// Standard error without its lock, so that a check that hangs while it holds the lock does not stop the progress bar and
/// with it the run.
#[cfg(unix)]
fn screen() -> ProgressDrawTarget {
    match (StandardStream::Stderr.duplicate(), StandardStream::Stderr.duplicate()) {
        (Ok(read), Ok(write)) => ProgressDrawTarget::term(Term::read_write_pair(read, write), DRAWN_A_SECOND),
        _ => ProgressDrawTarget::stderr_with_hz(DRAWN_A_SECOND),
    }
}

#[cfg(not(unix))]
fn screen() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr_with_hz(DRAWN_A_SECOND)
}

fn style(status: QualityStatus) -> Style {
    match status {
        QualityStatus::Passed => Style::new().green(),
        QualityStatus::Warned => Style::new().yellow(),
        QualityStatus::Failed => Style::new().red().bold(),
        QualityStatus::Errored => Style::new().magenta().bold(),
        QualityStatus::Skipped => Style::new().dim(),
    }
}

fn text(report: &QualityReport) -> String {
    let rows: Vec<Vec<Cell>> = report
        .results
        .iter()
        .map(|result| {
            vec![
                Cell::new(&result.check),
                Cell::new(&result.dataset),
                Cell::new(result.column),
                Cell::new(result.severity.as_str()),
                Cell::new(result.status.as_str()).style(style(result.status)),
                Cell::number(result.value.map(short).unwrap_or_default()),
                Cell::number(format!("{:.3}", result.duration_seconds)),
                Cell::new(result.why().unwrap_or_default()),
            ]
        })
        .collect();
    let heading = ["check", "dataset", "column", "severity", "status", "value", "seconds", "why"];
    let kinds = [
        QualityStatus::Passed,
        QualityStatus::Warned,
        QualityStatus::Failed,
        QualityStatus::Errored,
        QualityStatus::Skipped,
    ];
    let counts = kinds.into_iter().map(|status| (status, report.count(status))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(status, count)| style(status).apply_to(format!("{count} {status}")).to_string()).collect();
    if rows.is_empty() { String::new() } else { format!("{}\n{}\n", table(&heading, &rows), counts.join(", ")) }
}

/// A value, with as many digits as say something.
fn short(value: f64) -> String {
    let exact = value.to_string();
    if exact.len() <= 10 { exact } else { format!("{value:.6}") }
}

/// How to tell which data-quality checks there are.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArguments {
    /// For people or for programs.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A check, as it is listed.
#[derive(Serialize)]
struct Listed {
    check: String,
    dataset: String,
    column: &'static str,
    owner: &'static str,
    severity: &'static str,
    blocking: bool,
    file: &'static str,
    line: u32,
}

impl ListArguments {
    fn run(&self) -> u8 {
        let listed: Vec<Listed> = instances()
            .iter()
            .map(|instance| {
                let declared = instance.declaration();
                let place = declared.place();
                Listed {
                    check: instance.name(),
                    dataset: instance.dataset(),
                    column: declared.column,
                    owner: declared.owner,
                    severity: declared.severity.as_str(),
                    blocking: declared.blocking,
                    file: place.file,
                    line: place.line,
                }
            })
            .collect();
        print(&match self.format {
            Format::Json => json(&listed, true),
            Format::Text => {
                let rows: Vec<Vec<Cell>> = listed.iter().map(row).collect();
                table(&["check", "dataset", "column", "severity", "blocking", "owner", "place"], &rows)
            }
        });
        0
    }
}

fn row(listed: &Listed) -> Vec<Cell> {
    vec![
        Cell::new(&listed.check),
        Cell::new(&listed.dataset),
        Cell::new(listed.column),
        Cell::new(listed.severity),
        Cell::new(if listed.blocking { "blocking" } else { "" }),
        Cell::new(listed.owner),
        Cell::new(format!("{}:{}", listed.file, listed.line)),
    ]
}
