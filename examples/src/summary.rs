//! The printed summary of a job.

use std::fmt;

use obs_runtime::bigquery::estimate::Estimate;
use obs_runtime::catalogue::Kind;
use obs_runtime::snapshot::SeriesValue;
use obs_runtime::{QualityReport, QualityStatus};

use crate::dataset::LoadReport;

/// The results of a load.
#[derive(Clone, Debug)]
pub struct Summary {
    /// The load.
    pub load: LoadReport,
    /// The results of the checks.
    pub quality: QualityReport,
    /// The estimated cost of the report.
    pub report: Estimate,
}

impl Summary {
    /// The number of checks that did not pass.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.quality.results.len() - self.quality.count(QualityStatus::Passed)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.load.replaced { ", replacing those of an earlier run" } else { "" };
        writeln!(formatter, "Loaded {} rows into {}{again}.\n", self.load.rows, self.load.table)?;

        writeln!(formatter, "operation                 outcome   calls    seconds")?;
        for (name, outcome, calls, seconds) in operations() {
            writeln!(formatter, "{name:<25} {outcome:<9} {calls:>5} {seconds:>10.3}")?;
        }

        writeln!(formatter, "\n{}", quality(&self.quality))?;

        let estimate = &self.report;
        let processed = estimate.processed_bytes.unwrap_or_default();
        let billed = estimate.billed_bytes.unwrap_or_default();
        writeln!(formatter, "The report would read {processed} bytes and be billed for {billed},")?;
        write!(
            formatter,
            "which is {:.6} USD at {} USD for each TiB.",
            estimate.usd.unwrap_or_default(),
            estimate.usd_per_tib
        )
    }
}

/// Finished commands and operations: name, outcome, calls, total seconds.
fn operations() -> Vec<(String, String, u64, f64)> {
    let metrics = obs_runtime::metrics();
    let durations = ["cli.command.duration.seconds", "operation.duration.seconds"];
    let families = durations.into_iter().filter_map(|name| metrics.family(name));
    let mut rows = Vec::new();
    for series in families.filter(|family| family.family.kind == Kind::Histogram).flat_map(|family| &family.series) {
        let label = |wanted: &[&str]| {
            let found = series.labels.iter().find(|(name, _)| wanted.contains(&&**name));
            found.map(|(_, value)| value.to_string()).unwrap_or_default()
        };
        if let SeriesValue::Histogram { counts, sum } = &series.value {
            let outcome = match &*label(&["outcome", "success"]) {
                "true" => "ok".to_owned(),
                "false" => "failed".to_owned(),
                outcome => outcome.to_owned(),
            };
            rows.push((label(&["command", "operation"]), outcome, counts.iter().sum(), *sum));
        }
    }
    rows
}

/// A table of the results of checks.
#[must_use]
pub fn quality(report: &QualityReport) -> String {
    let mut text = format!("{:<36} {:<9} {:<9} {:>12}   why\n", "check", "severity", "status", "value");
    for result in &report.results {
        let value = result.value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
        let why = result.why().unwrap_or_default();
        let row = format!("{:<36} {:<9} {:<9} {value:>12}   {why}", result.check, result.severity, result.status);
        text.push_str(row.trim_end());
        text.push('\n');
    }
    text
}
