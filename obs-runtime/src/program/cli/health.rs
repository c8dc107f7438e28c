//! `health`

use std::time::Duration;

use console::{Style, Term};

use crate::checks::health::list::problems;
use crate::checks::health::report::HealthReport;
use crate::checks::health::run::{HealthRun, run_health_checks};
use crate::checks::health::status::Status;
use crate::program::cli::arguments::{CheckFormat, duration};
use crate::program::cli::junit;
use crate::program::cli::output::{UNKNOWN, json, print, print_problems};
use crate::program::cli::table::{Cell, table};

/// Clears a terminal. Written together with the next output, so that the screen does not flicker.
const CLEAR: &str = "\r\x1b[2J\r\x1b[H";

/// Arguments of `health`.
#[derive(Clone, Debug, clap::Args)]
pub struct HealthArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: CheckFormat,
    /// Run only the checks of this group, and those that they come after. Can be repeated.
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    /// Time limit for each check, such as 500ms or 5s.
    #[arg(long, value_parser = duration, value_name = "DURATION")]
    timeout: Option<Duration>,
    /// Repeat with a pause of this length, 5s by default.
    #[arg(long, value_parser = duration, value_name = "DURATION", num_args = 0..=1, default_missing_value = "5s")]
    watch: Option<Duration>,
}

impl HealthArguments {
    /// Runs the checks, prints the results and returns the exit code: 0 healthy, 1 degraded, 2 unhealthy, 3 unknown, also
    /// if the results could not be printed. For a program that is only a health check.
    pub fn run(&self) -> u8 {
        if print_problems(&problems()) {
            return UNKNOWN;
        }
        loop {
            let report = self.report();
            let text = self.shown(&report);
            let Some(pause) = self.watch else {
                return if print(&text).is_ok() { report.status.exit_code() } else { UNKNOWN };
            };
            if print(&if Term::stdout().is_term() { format!("{CLEAR}{text}") } else { text }).is_err() {
                return UNKNOWN;
            }
            std::thread::sleep(pause);
        }
    }

    fn report(&self) -> HealthReport {
        let run = self.group.iter().fold(run_health_checks(), HealthRun::group);
        match self.timeout {
            Some(timeout) => run.timeout(timeout).wait(),
            None => run.wait(),
        }
    }

    fn shown(&self, report: &HealthReport) -> String {
        match self.format {
            CheckFormat::Json => json(report, self.watch.is_none()),
            CheckFormat::Junit => junit::health(report),
            CheckFormat::Text => text(report),
        }
    }
}

fn style(status: Status) -> Style {
    match status {
        Status::Healthy => Style::new().green(),
        Status::Degraded => Style::new().yellow(),
        Status::Unhealthy => Style::new().red().bold(),
        Status::Unknown | Status::Skipped => Style::new().dim(),
    }
}

fn text(report: &HealthReport) -> String {
    let whole = style(report.status).apply_to(report.status);
    if report.checks.is_empty() {
        return format!("{whole}\n");
    }
    let rows: Vec<Vec<Cell>> = report
        .checks
        .iter()
        .map(|check| {
            let skipped = check.status == Status::Skipped;
            vec![
                Cell::new(&check.name),
                Cell::new(check.status.as_str()).style(style(check.status)),
                Cell::new(if check.critical { "critical" } else { "" }),
                Cell::number(if skipped { String::new() } else { format!("{:.3}", check.duration_seconds) }),
                Cell::new(check.message.as_deref().unwrap_or_default()),
            ]
        })
        .collect();
    format!("{whole}\n\n{}", table(&["check", "status", "critical", "seconds", "message"], &rows))
}
