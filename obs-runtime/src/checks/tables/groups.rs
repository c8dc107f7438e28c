//! The groups of a check, and which of them is the worst.

use std::collections::BTreeMap;

use crate::checks::quality::current_bounds;
use crate::checks::quality::measure::Measured;
use crate::checks::quality::status::QualityStatus;
use crate::checks::tables::check::TableCheck;
use crate::checks::tables::error::TableError;
use crate::checks::tables::measure_sql::MAX_GROUPS;
use crate::checks::tables::table::{Row, Table};

/// The measurement of a group.
struct Group {
    label: String,
    keys: BTreeMap<String, String>,
    measured: Measured,
    status: Option<QualityStatus>,
}

impl<T: Table> TableCheck<'_, T> {
    /// The measurement of the worst group, with the groups that do not pass as its sample. The rows are those of
    /// [`statement`](Self::statement), from the largest value to the smallest.
    pub(super) fn worst_group(&self, rows: &[Row]) -> Result<Measured, TableError> {
        let mut groups = Vec::with_capacity(rows.len());
        let mut all = 0.0;
        for row in rows {
            let [found, of, mismatches, count, labels @ ..] = &**row else {
                return Err(self.unexpected(format!("{} columns", row.len())));
            };
            self.refuse_mismatches(mismatches.as_deref().filter(|_| self.subject.kind().is_some()))?;
            all = self.number(count.as_deref())?.unwrap_or(0.0);
            groups.push(self.group(labels, self.measured(found.as_deref(), of.as_deref())?));
        }
        if current_bounds::only_lower() {
            groups.reverse();
        }
        // Stable: of equally bad ones, the first is the most extreme.
        groups.sort_by_key(|group| std::cmp::Reverse(group.status.map_or(0, badness)));
        let Some(worst) = groups.first() else { return Ok(Measured::ratio(0, 0)) };
        let mut measured = worst.measured.clone();
        measured.message = Some(format!("{} is the worst of {all} groups", worst.label));
        let told = groups.into_iter().filter(|group| match group.status {
            Some(status) => status != QualityStatus::Passed,
            None => group.measured.value > 0.0,
        });
        for group in told.take(MAX_GROUPS) {
            measured.sample_is_redacted = true;
            measured.sample.push(format!("{}: {}", group.label, seen(&group.measured)));
            // Those of rows stand there otherwise.
            if self.reading.keys.is_empty() {
                measured.keys.push(group.keys);
            }
        }
        Ok(measured)
    }

    fn group(&self, labels: &[Option<String>], measured: Measured) -> Group {
        let columns = self.reading.groups.iter().zip(labels);
        let cells: Vec<(&str, String)> = columns
            .map(|(column, label)| (column.name(), column.redacted(label.as_deref().unwrap_or("NULL").to_owned())))
            .collect();
        let label = cells.iter().map(|(column, value)| format!("{column}={value}")).collect::<Vec<_>>().join(", ");
        let keys = cells.into_iter().map(|(column, value)| (column.to_owned(), value)).collect();
        let status = current_bounds::status(&measured);
        Group { label, keys, measured, status }
    }
}

const fn badness(status: QualityStatus) -> u8 {
    match status {
        QualityStatus::Failed | QualityStatus::Errored => 3,
        QualityStatus::NoData => 2,
        QualityStatus::Warned => 1,
        QualityStatus::Passed | QualityStatus::Skipped => 0,
    }
}

fn seen(measured: &Measured) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a measure is a float, as metrics are")]
    match measured.of {
        Some(0) => "no data".to_owned(),
        Some(of) => format!("{} ({} of {of})", measured.value / of as f64, measured.value),
        None => measured.value.to_string(),
    }
}
