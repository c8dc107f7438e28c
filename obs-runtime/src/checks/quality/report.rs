//! The results of data-quality checks.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashSet};
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::base::clock;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::checks::quality::current_table::TableName;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::judgement::Judgement;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::status::{QualityStatus, Severity};
use crate::checks::runner::check::Describe;
use crate::checks::runner::details::{redacted, rfc3339, shown_declared, shown_name};
use crate::events::event::{Details, Fact, Source};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Field, Value};
use crate::events::span::SpanDetails;
use crate::exporters::interface::Topic;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::span::{DetachedEnd, DetachedSpan};
use crate::pipeline::global;

/// The results of a run of data-quality checks.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QualityReport {
    /// The result of each check, sorted by name.
    pub results: Vec<QualityResult>,
    /// Why nothing was run: names and data sets that do not exist, or that there is nothing to check.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub problems: Vec<String>,
}

impl QualityReport {
    /// Whether the data can be used: the selection has no [problem](Self::problems), no check of severity `critical` failed or
    /// had no data, and none that is more than `info` is errored.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.problems.is_empty() && !self.results.iter().any(QualityResult::rejects)
    }

    /// The number of checks with this status.
    #[must_use]
    pub fn count(&self, status: QualityStatus) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// Returns the report if the data can be used, so that `?` stops what would use bad data.
    ///
    /// # Errors
    /// If the checks have not [`passed`](Self::passed).
    ///
    /// ```
    /// fn publish() -> Result<(), obs_runtime::QualityError> {
    ///     obs_runtime::run_dq_checks().dataset("users").wait().into_result()?;
    ///     // … publish …
    ///     Ok(())
    /// }
    /// ```
    pub fn into_result(self) -> Result<Self, QualityError> {
        if self.passed() { Ok(self) } else { Err(QualityError { report: self }) }
    }
}

/// Critical checks failed, checks are errored, or there was nothing to check: the data must not be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[non_exhaustive]
#[error("the data must not be used: {}", report.rejections())]
pub struct QualityError {
    /// All results, including those of checks that passed.
    pub report: QualityReport,
}

impl QualityReport {
    fn rejections(&self) -> String {
        let rejecting = self.results.iter().filter(|result| result.rejects());
        let words = rejecting.map(|result| match result.why() {
            Some(why) => format!("{} {} ({why})", result.check, result.status),
            None => format!("{} {}", result.check, result.status),
        });
        self.problems.iter().cloned().chain(words).collect::<Vec<_>>().join(", ")
    }
}

/// The result of one data-quality check.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct QualityResult {
    /// The check's name: `rows`, or `rows[users]` for an item of `for_each`.
    pub check: Cow<'static, str>,
    /// The data set, if the check names one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub dataset: Cow<'static, str>,
    /// The column, if the check names one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub column: &'static str,
    /// The owner of the data, if the check names one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub owner: &'static str,
    /// The page that says what to do when it fails, if the check names one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub runbook: &'static str,
    /// The part of the data that it is about, if the check has partitions: `2026-11-28`. It is no label of a metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub partition: Option<String>,
    /// The declared severity of the check, whatever its status.
    pub severity: Severity,
    /// Whether its failure skips the other checks of its data set.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocking: bool,
    /// The table that it has read first, if it is a ready-made check of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub table: Option<TableName>,
    /// Its status.
    pub status: QualityStatus,
    /// The measured value; for a count with a total, the ratio.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// The count, if there is a total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<f64>,
    /// The total.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// The expected value, if the check did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// The observed value, if the check did not pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// The value as text if it is `NaN` or infinite, which JSON has no number for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value_text: Option<String>,
    /// Some of the failing rows, redacted by their form and by the name of the column. Equal rows stand once.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
    /// The keys of some of the failing rows: for each its columns and their values, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<BTreeMap<String, String>>,
    /// The duration of the check, in seconds; 0 for [`track_data_quality_check`](crate::track_data_quality_check).
    pub duration_seconds: f64,
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    /// The message of the check, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The details of the check, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

/// How much of each sample row is kept, in characters.
const MAX_ROW_CHARS: usize = 200;

/// A sample row or key, redacted as a whole, then shortened.
fn shown_row(column: &str, row: String) -> String {
    let row = global::redact_named(column, row);
    if row.chars().nth(MAX_ROW_CHARS).is_some() { row.chars().take(MAX_ROW_CHARS).collect() } else { row }
}

impl QualityResult {
    pub(super) fn new(check: &CheckInstance, measure: Measure, duration: Duration) -> Self {
        let judgement = measure.bounds.or(check.check.bounds).judge(&measure);
        let declared = &check.check;
        let mut result = Self::judged(
            check.shown_name().into(),
            (check.shown_dataset().into(), declared.column),
            declared.severity,
            judgement,
            measure,
        );
        result.column = shown_declared(declared.column);
        result.owner = shown_declared(declared.owner);
        result.partition = check.partition.map(|partition| partition.to_string());
        result.runbook = shown_declared(declared.runbook);
        result.blocking = declared.blocking;
        result.duration_seconds = duration.as_secs_f64();
        result
    }

    pub(super) fn judged(
        check: Cow<'static, str>,
        (dataset, column): (Cow<'static, str>, &str),
        severity: Severity,
        judgement: Judgement,
        measure: Measure,
    ) -> Self {
        let Judgement { status, expected, seen } = judgement;
        let value = measure.value();
        let column = if measure.sample_is_redacted { "" } else { column };
        let mut sample: Vec<String> = measure.sample.into_iter().map(|row| shown_row(column, row)).collect();
        let mut seen_rows = HashSet::new();
        sample.retain(|row| seen_rows.insert(row.clone()));
        let key = |(column, value): (String, String)| (shown_row("", column.clone()), shown_row(&column, value));
        Self {
            check: shown_name(check),
            dataset: shown_name(dataset),
            column: "",
            owner: "",
            partition: None,
            runbook: "",
            severity,
            blocking: false,
            table: measure
                .table
                .map(|table| TableName::new(global::redact(table.namespace), global::redact(table.name))),
            status,
            value,
            count: measure.counts.map(|(count, _)| count),
            of: measure.counts.map(|(_, of)| of),
            expected: expected.map(global::redact),
            seen: seen.map(global::redact),
            value_text: value.filter(|value| !value.is_finite()).map(|value| value.to_string()),
            sample,
            keys: measure.keys.into_iter().map(|keys| keys.into_iter().map(key).collect()).collect(),
            duration_seconds: 0.0,
            time: clock::wall(),
            message: measure.message.map(global::redact),
            details: measure.details.map(redacted),
        }
    }

    pub(super) fn skipped(check: &CheckInstance, reason: String) -> Self {
        let measure = Measure::error(reason);
        let mut result = Self::new(check, measure, Duration::ZERO);
        result.status = QualityStatus::Skipped;
        let message = format!("check {} {}", result.check, result.message.as_deref().unwrap_or_default());
        global::emit(Topic::Log, Level::Warning, global::source(check.check.place()), |_| {
            (Fact::Log { message: message.into() }, Details::default())
        });
        result
    }

    /// The check with its partition, if it has one: `rows 2026-11-28`.
    #[must_use]
    pub fn title(&self) -> Cow<'_, str> {
        match &self.partition {
            Some(partition) => format!("{} {partition}", self.check).into(),
            None => Cow::Borrowed(&*self.check),
        }
    }

    /// Whether the data must not be used.
    pub(crate) fn rejects(&self) -> bool {
        match self.status {
            QualityStatus::Errored => self.severity > Severity::Info,
            QualityStatus::Failed | QualityStatus::NoData => self.severity == Severity::Critical,
            QualityStatus::Passed | QualityStatus::Warned | QualityStatus::Skipped => false,
        }
    }

    /// Whether the checks that follow must not run.
    pub(super) fn stops(&self) -> bool {
        self.blocking && self.rejects() && self.severity == Severity::Critical
    }

    /// The expected and the observed value and the message, as one text.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let expected = self.expected.as_ref().map(|expected| match &self.seen {
            Some(seen) => format!("expected {expected}, seen {seen}"),
            None => format!("expected {expected}"),
        });
        let words: Vec<String> = expected.into_iter().chain(self.message.clone()).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    pub(super) fn report_declared(&self, check: &CheckInstance, duration: Duration) {
        let declared = &check.check.check;
        self.report(declared.level, global::source(declared.place), Some(duration), declared.describe);
    }

    /// Ends the span of the check with the result.
    pub(super) fn end_span(&self, span: DetachedSpan, check: &CheckInstance) {
        let has_failed = matches!(self.status, QualityStatus::Failed | QualityStatus::Errored | QualityStatus::NoData);
        let failure = has_failed.then(|| FailureFacts {
            error_type: self.status.as_str().into(),
            message: self.why().unwrap_or_default().into(),
            sources: Vec::new(),
        });
        let dataset = Some(&*self.dataset).filter(|dataset| !dataset.is_empty());
        let fields = [
            Some(Field::new("obs.check.status", self.status.as_str())),
            Some(Field::new("obs.check.severity", self.severity.as_str())),
            dataset.map(|dataset| Field::new("obs.check.dataset", dataset.to_owned())),
            self.value.map(|value| Field::new("obs.check.value", value)),
        ];
        span.end(DetachedEnd {
            name: self.check.to_string().into(),
            op: "check",
            outcome: if has_failed { Outcome::Error } else { Outcome::Ok },
            place: Some(check.check.check.place),
            function: check.check.check.function_name(),
            details: SpanDetails::of(fields.into_iter().flatten().collect(), failure),
        });
    }

    /// Logs and measures the result.
    pub(super) fn report(&self, passed: Level, source: Source<'_>, duration: Option<Duration>, describe: Describe) {
        let level = match (self.status, self.severity) {
            (QualityStatus::Passed | QualityStatus::Skipped, _) => passed,
            (QualityStatus::Failed | QualityStatus::NoData, Severity::Info) => Level::Info,
            (QualityStatus::Warned, _)
            | (QualityStatus::Failed | QualityStatus::NoData, Severity::Warning)
            | (QualityStatus::Errored, Severity::Info) => Level::Warning,
            (QualityStatus::Failed | QualityStatus::NoData | QualityStatus::Errored, _) => Level::Error,
        };
        global::emit(Topic::Fact, level, source, |_| {
            let fact = Fact::QualityChecked {
                check: Cow::Borrowed(&*self.check),
                dataset: Cow::Borrowed(&*self.dataset),
                status: self.status.as_str(),
                severity: self.severity.as_str(),
                value: self.value,
                duration,
                message: self.why().map(Into::into),
            };
            (fact, self.entry(describe).details())
        });
    }

    fn entry(&self, describe: Describe) -> Entry {
        let mut entry = Entry::default();
        let runbook = if self.status == QualityStatus::Passed { "" } else { self.runbook };
        let texts = [("column", self.column), ("owner", self.owner), ("runbook", runbook)];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            entry.argument(name, text.into());
        }
        if let Some(partition) = &self.partition {
            entry.argument("partition", Value::from(partition.clone()));
        }
        if let Some(of) = self.of {
            entry.argument("of", of.into());
        }
        if !self.sample.is_empty() {
            entry.argument("sample", Value::from(self.sample.join("; ")));
        }
        entry.describe(describe);
        entry
    }
}
