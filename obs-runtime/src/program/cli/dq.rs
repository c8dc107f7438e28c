//! `dq run` and `dq list`

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::num::NonZeroUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use console::Style;
#[cfg(unix)]
use console::Term;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

#[cfg(unix)]
use crate::base::standard_streams::StandardStream;
use crate::base::text::is_active;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::list::problems;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::run::QualityRun;
use crate::checks::quality::status::QualityStatus;
use crate::checks::runner::details::{shown_declared, shown_name};
use crate::exporters::log::log_output::PROGRESS_BAR_DRAWN;
use crate::program::cli::arguments::{Format, QualityFormat, duration};
use crate::program::cli::dq_selection::SelectionArguments;
use crate::program::cli::junit;
use crate::program::cli::markdown;
use crate::program::cli::output::{OutputFailed, UNKNOWN, json, print, print_problems};
use crate::program::cli::table::{Cell, table};

/// The most frames of the progress bar in a second.
const MAX_FRAMES: u8 = 20;

/// The commands of `dq`.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum DqCommand {
    /// Runs the checks: exits with 0 if the data can be used, 1 if not, 3 if a name does not exist or there is nothing to check.
    Run(RunArguments),
    /// Lists the checks that a run would include, without running any. Evaluates the lists of `for_each`: exits with 3 if one could
    /// not be made.
    List(ListArguments),
}

impl DqCommand {
    pub(super) const fn name(&self) -> &'static str {
        match self {
            Self::Run(_) => "dq run",
            Self::List(_) => "dq list",
        }
    }

    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        if print_problems(&problems()) {
            return Ok(UNKNOWN);
        }
        match self {
            Self::Run(arguments) => arguments.run(),
            Self::List(arguments) => arguments.run(),
        }
    }
}

/// Arguments of `dq run`.
#[derive(Clone, Debug, clap::Args)]
pub struct RunArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: QualityFormat,
    /// Time limit for each check, such as 30s or 5m.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    timeout: Option<Duration>,
    /// How many checks may run at once.
    #[arg(long, value_name = "NUMBER")]
    at_once: Option<NonZeroUsize>,
}

impl RunArguments {
    fn run(&self) -> Result<u8, OutputFailed> {
        let mut run = self.selection.run();
        if let Some(timeout) = self.timeout {
            run = run.timeout(timeout);
        }
        if let Some(at_once) = self.at_once {
            run = run.at_once(at_once.get());
        }
        let report = run_with_progress(run);
        if print_problems(&report.problems) {
            return Ok(UNKNOWN);
        }
        print(&match self.format {
            QualityFormat::Json => json(&report, true),
            QualityFormat::Junit => junit::quality(&report),
            QualityFormat::Openlineage => json(&report.openlineage(), false),
            QualityFormat::Markdown => markdown::quality(&report),
            QualityFormat::Text => text(&report),
        })?;
        Ok(u8::from(!report.passed()))
    }
}

/// Runs the checks, with a progress bar on a terminal.
fn run_with_progress(run: QualityRun) -> QualityReport {
    if !std::io::stderr().is_terminal() {
        return run.wait();
    }
    let bar = ProgressBar::new_spinner().with_message("checking");
    bar.set_draw_target(terminal());
    bar.enable_steady_tick(Duration::from_millis(100));
    PROGRESS_BAR_DRAWN.store(true, Ordering::Relaxed);
    let progress = bar.clone();
    let run = run.on_result(move |done, all, result| {
        // The number of checks is unknown before the first result.
        if progress.length() != Some(all as u64) {
            progress.set_length(all as u64);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_bar} {msg}") {
                progress.set_style(style);
            }
        }
        progress.set_position(done as u64);
        progress.set_message(result.check.to_string());
    });
    let report = run.wait();
    PROGRESS_BAR_DRAWN.store(false, Ordering::Relaxed);
    bar.finish_and_clear();
    report
}

/// Standard error without its lock, so that a check that hangs while it holds the lock does not stop the progress bar and
/// with it the run.
#[cfg(unix)]
fn terminal() -> ProgressDrawTarget {
    match (StandardStream::Stderr.duplicate(), StandardStream::Stderr.duplicate()) {
        (Ok(read), Ok(write)) => ProgressDrawTarget::term(Term::read_write_pair(read, write), MAX_FRAMES),
        _ => ProgressDrawTarget::stderr_with_hz(MAX_FRAMES),
    }
}

#[cfg(not(unix))]
fn terminal() -> ProgressDrawTarget {
    ProgressDrawTarget::stderr_with_hz(MAX_FRAMES)
}

fn style(status: QualityStatus) -> Style {
    match status {
        QualityStatus::Passed => Style::new().green(),
        QualityStatus::Warned => Style::new().yellow(),
        QualityStatus::Failed => Style::new().red().bold(),
        QualityStatus::Errored => Style::new().magenta().bold(),
        QualityStatus::NoData => Style::new().red(),
        QualityStatus::Skipped => Style::new().dim(),
    }
}

fn text(report: &QualityReport) -> String {
    let rows: Vec<Vec<Cell>> = report
        .results
        .iter()
        .map(|result| {
            vec![
                Cell::new(result.title()),
                Cell::new(&result.dataset),
                Cell::new(result.column),
                Cell::new(result.severity.as_str()),
                Cell::new(result.status.as_str()).style(style(result.status)),
                Cell::number(result.value.map(rounded).unwrap_or_default()),
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
        QualityStatus::NoData,
        QualityStatus::Skipped,
    ];
    let counts = kinds.into_iter().map(|status| (status, report.count(status))).filter(|(_, count)| *count > 0);
    let counts: Vec<String> =
        counts.map(|(status, count)| style(status).apply_to(format!("{count} {status}")).to_string()).collect();
    let samples: String = report.results.iter().map(sample).collect();
    if rows.is_empty() {
        return String::new();
    }
    format!("{}\n{samples}{}\n", table(&heading, &rows), counts.join(", "))
}

/// The sample of a check, a row in a line.
fn sample(result: &QualityResult) -> String {
    if result.sample.is_empty() {
        return String::new();
    }
    let line =
        |row: &String| row.chars().map(|letter| if is_active(letter) { ' ' } else { letter }).collect::<String>();
    let text = result
        .sample
        .iter()
        .fold(format!("{}, failing rows:\n", result.title()), |text, row| text + "  " + &line(row) + "\n");
    text + "\n"
}

/// A whole number or a short one as it is, otherwise rounded to six decimals, or to three digits if those tell little of it.
fn rounded(value: f64) -> String {
    let exact = value.to_string();
    match value.abs() {
        size if exact.len() <= 10 || (value.fract() == 0.0 && size < 1e15) => exact,
        size if (0.0001..1e9).contains(&size) => format!("{value:.6}"),
        _ => format!("{value:.2e}"),
    }
}

/// Arguments of `dq list`.
#[derive(Clone, Debug, clap::Args)]
pub struct ListArguments {
    #[command(flatten)]
    selection: SelectionArguments,
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

/// A row of the list.
#[derive(Serialize)]
struct ListedCheck {
    check: String,
    dataset: String,
    /// `2026-11-28`, of a check with partitions.
    partition: String,
    column: &'static str,
    owner: &'static str,
    runbook: &'static str,
    description: &'static str,
    severity: &'static str,
    thresholds: Vec<String>,
    tags: BTreeMap<String, String>,
    blocking: bool,
    file: &'static str,
    line: u32,
}

impl ListedCheck {
    fn new(instance: &CheckInstance) -> Self {
        let declared = instance.declaration();
        let place = declared.place();
        Self {
            check: shown_name(instance.shown_name().into()).into_owned(),
            dataset: shown_name(instance.shown_dataset().into()).into_owned(),
            partition: instance.partition_name(),
            column: shown_declared(declared.column),
            owner: shown_declared(declared.owner),
            runbook: shown_declared(declared.runbook),
            description: shown_declared(declared.description),
            thresholds: declared.thresholds(),
            tags: declared.tags(),
            severity: declared.severity.as_str(),
            blocking: declared.blocking,
            file: place.file,
            line: place.line,
        }
    }
}

impl ListArguments {
    fn run(&self) -> Result<u8, OutputFailed> {
        let selected = self.selection.run().selected();
        if print_problems(&selected.problems) {
            return Ok(UNKNOWN);
        }
        let listed: Vec<ListedCheck> = selected.checks.iter().map(ListedCheck::new).collect();
        print(&match self.format {
            Format::Json => json(&listed, true),
            Format::Text => {
                let rows: Vec<Vec<Cell>> = listed.iter().map(row).collect();
                table(&LIST_HEADING, &rows)
            }
        })?;
        let unlisted: Vec<String> = selected.checks.iter().filter_map(CheckInstance::unlisted).collect();
        Ok(if print_problems(&unlisted) { UNKNOWN } else { 0 })
    }
}

const LIST_HEADING: [&str; 12] = [
    "check",
    "dataset",
    "partition",
    "column",
    "severity",
    "blocking",
    "thresholds",
    "tags",
    "owner",
    "runbook",
    "place",
    "description",
];

fn row(listed: &ListedCheck) -> Vec<Cell> {
    let tags: Vec<String> = listed.tags.iter().map(|(name, value)| format!("{name}={value}")).collect();
    vec![
        Cell::new(&listed.check),
        Cell::new(&listed.dataset),
        Cell::new(&listed.partition),
        Cell::new(listed.column),
        Cell::new(listed.severity),
        Cell::new(if listed.blocking { "blocking" } else { "" }),
        Cell::new(listed.thresholds.join(", ")),
        Cell::new(tags.join(", ")),
        Cell::new(listed.owner),
        Cell::new(listed.runbook),
        Cell::new(format!("{}:{}", listed.file, listed.line)),
        Cell::new(listed.description),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checks::quality::check::QualityCheck;
    use crate::checks::quality::partition::PartitionUnit;
    use crate::checks::quality::run::run_dq_checks;

    #[test]
    fn a_value_is_short_and_never_looks_like_another() {
        for (value, shown) in [
            (0.25, "0.25"),
            (12_000_000_000.0, "12000000000"),
            (1.0 / 3.0, "0.333333"),
            (3.0 / 205_000_000.0, "1.46e-8"),
            (1.0 / 3000.0, "0.000333"),
            (1e-7, "0.0000001"),
            (1.234_567_890_123e12, "1234567890123"),
            (1.5e300, "1.50e300"),
            (f64::NEG_INFINITY, "-inf"),
        ] {
            assert_eq!(rounded(value), shown);
        }
    }

    #[test]
    fn a_check_with_partitions_is_listed_once_for_each_with_its_name() {
        let check =
            QualityCheck::new("listed_of_days", || true).dataset("listed").partition(PartitionUnit::Day).register();
        let whole = QualityCheck::new("listed_whole", || true).dataset("listed").register();
        let selected = run_dq_checks().dataset("listed").partition("2024-02").selected();
        let listed: Vec<ListedCheck> = selected.checks.iter().map(ListedCheck::new).collect();
        assert_eq!(listed.len(), 30);
        let text = table(&LIST_HEADING, &listed.iter().map(row).collect::<Vec<_>>());
        for (index, partition) in [(0, "2024-02-01"), (28, "2024-02-29"), (29, "")] {
            assert_eq!(listed[index].partition, partition);
            let line: Vec<&str> = text.lines().nth(index + 1).unwrap_or_default().split_whitespace().collect();
            assert_eq!(line.contains(&"2024-02-29"), index == 28, "{text}");
        }
        assert_eq!(serde_json::to_value(&listed[0]).unwrap()["partition"], "2024-02-01");
        check.unregister();
        whole.unregister();
    }
}
