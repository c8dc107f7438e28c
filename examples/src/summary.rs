//! The end of a job, for people.

use std::fmt;

use obs_runtime::catalogue::Kind;
use obs_runtime::snapshot::SeriesValue;
use obs_runtime::{QualityReport, QualityStatus};

use crate::dataset::LoadReport;
use obs_runtime::bigquery::estimate::Estimate;

/// What a load did, found and would cost.
#[derive(Clone, Debug)]
pub struct Summary {
    /// What was loaded.
    pub load: LoadReport,
    /// What the checks found.
    pub quality: QualityReport,
    /// What the report would cost.
    pub report: Estimate,
}

impl Summary {
    /// How many checks did not pass.
    #[must_use]
    pub fn findings(&self) -> usize {
        self.quality.results.len() - self.quality.count(QualityStatus::Passed)
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = if self.load.replaced { ", in place of an earlier run's" } else { "" };
        writeln!(formatter, "Loaded {} rows into {}{again}.\n", self.load.rows, self.load.table)?;

        writeln!(formatter, "What ran                  outcome   calls    seconds")?;
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

/// Commands and operations that ended: name, outcome, calls, seconds in all.
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

/// A table of checks and what they found.
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
