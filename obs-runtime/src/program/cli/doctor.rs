//! `doctor`

use std::time::Duration;

use console::Style;

use crate::program::cli::arguments::{Format, duration};
use crate::program::cli::output::{OutputFailed, json, print};
use crate::program::cli::table::{Cell, table};
use crate::program::doctor::diagnosis::{Diagnosis, diagnose};
use crate::program::doctor::finding::{Finding, Grade};

/// Arguments of `doctor`.
#[derive(Clone, Debug, clap::Args)]
pub struct DoctorArguments {
    /// Output format.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Send a test event through each exporter: a line, a message, a span and an operation named obs.doctor.
    #[arg(long)]
    send: bool,
    /// How long to wait for the answer of each backend, such as 500ms or 5s.
    #[arg(long, value_parser = duration, value_name = "DURATION", default_value = "5s")]
    timeout: Duration,
}

impl DoctorArguments {
    pub(super) fn run(&self) -> Result<u8, OutputFailed> {
        let diagnosis = diagnose(self.timeout, self.send);
        print(&match self.format {
            Format::Json => json(&diagnosis, true),
            Format::Text => text(&diagnosis),
        })?;
        Ok(match diagnosis.status {
            Grade::Off | Grade::Ok => 0,
            Grade::Warning => 1,
            Grade::Problem => 2,
        })
    }
}

fn style(grade: Grade) -> Style {
    match grade {
        Grade::Off => Style::new().dim(),
        Grade::Ok => Style::new().green(),
        Grade::Warning => Style::new().yellow(),
        Grade::Problem => Style::new().red().bold(),
    }
}

fn text(diagnosis: &Diagnosis) -> String {
    let Diagnosis { status, service, environment, version, findings, .. } = diagnosis;
    let rows: Vec<Vec<Cell>> = findings.iter().flat_map(rows).collect();
    let heading = format!("{} ({service} {version}, {environment})", style(*status).apply_to(status));
    let all = table(&["status", "subject", "finding"], &rows);
    if findings.iter().any(|finding| finding.subject.starts_with("send to ")) {
        return format!("{heading}\n\n{all}");
    }
    format!("{heading}\n\n{all}\nNothing was sent: --send sends a test event through each exporter.\n")
}

/// The rows of a finding: what was found, and what to do.
fn rows(finding: &Finding) -> impl Iterator<Item = Vec<Cell>> {
    let status = Cell::new(finding.status.as_str()).style(style(finding.status));
    let found = vec![status, Cell::new(&finding.subject), Cell::new(&finding.message)];
    let advice =
        finding.advice.as_ref().map(|advice| vec![Cell::new(""), Cell::new(""), Cell::new(format!("→ {advice}"))]);
    std::iter::once(found).chain(advice)
}
