//! What data-quality checks found.

use std::borrow::Cow;
use std::time::{Duration, SystemTime};

use serde::Serialize;

use crate::base::level::Level;
use crate::checks::quality::list::Instance;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::verdict::{Judgement, QualityStatus, Severity};
use crate::checks::runner::check::Describe;
use crate::checks::runner::details::{redacted, rfc3339};
use crate::events::event::{Details, Fact, Source};
use crate::events::field::Value;
use crate::exporters::interface::Topic;
use crate::instrument::call::entry::Entry;
use crate::pipeline::global;

/// What all data-quality checks together say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityReport {
    /// Each check's result, by name.
    pub results: Vec<QualityResult>,
}

impl QualityReport {
    /// Whether the data can be used: no check of severity `critical` failed, and none could not be carried out.
    #[must_use]
    pub fn passed(&self) -> bool {
        !self.results.iter().any(QualityResult::spoils)
    }

    /// How many checks ended so.
    #[must_use]
    pub fn count(&self, status: QualityStatus) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }

    /// The report of data that can be used; an error otherwise, so that `?` stops what would use it.
    ///
    /// # Errors
    /// When not [`passed`](Self::passed).
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

/// The data must not be used.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("the data must not be used: {}", report.spoilers())]
pub struct QualityError {
    /// Every result, also of checks that passed.
    pub report: QualityReport,
}

impl QualityReport {
    fn spoilers(&self) -> String {
        let spoilers = self.results.iter().filter(|result| result.spoils());
        let words = spoilers.map(|result| match result.why() {
            Some(why) => format!("{} {} ({why})", result.check, result.status),
            None => format!("{} {}", result.check, result.status),
        });
        words.collect::<Vec<_>>().join(", ")
    }
}

/// What one data-quality check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityResult {
    /// The check's name: `rows`, or `rows[users]` of one with `for_each`.
    pub check: Cow<'static, str>,
    /// The data set that it looked at, if it says.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub dataset: Cow<'static, str>,
    /// The column that it looked at, if it says.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub column: &'static str,
    /// Who is to be asked, if it says.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub owner: &'static str,
    /// How bad it is: `warning` for one that only warned, the check's own severity otherwise.
    pub severity: Severity,
    /// Whether its failure stops what follows.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub blocking: bool,
    /// How it ended.
    pub status: QualityStatus,
    /// What was measured; a ratio when it was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What was counted, if it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<f64>,
    /// Of how many it was counted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// What was expected, where that was not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What was seen instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seen: Option<String>,
    /// Some of the rows that the check does not like, redacted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sample: Vec<String>,
    /// How long it took, in seconds; 0 when it was carried out by hand.
    pub duration_seconds: f64,
    /// When it ended.
    #[serde(serialize_with = "rfc3339")]
    pub time: SystemTime,
    /// What it says for itself, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// What else it tells, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<serde_json::Value>,
}

impl QualityResult {
    pub(super) fn new(check: &Instance, measure: Measure, took: Duration) -> Self {
        let judgement = check.check.bounds.judge(&measure);
        let declared = &check.check;
        let mut result =
            Self::judged(check.name().into(), check.dataset().into(), declared.severity, judgement, measure);
        result.column = declared.column;
        result.owner = declared.owner;
        result.blocking = declared.blocking;
        result.duration_seconds = took.as_secs_f64();
        result
    }

    pub(super) fn judged(
        check: Cow<'static, str>,
        dataset: Cow<'static, str>,
        severity: Severity,
        judgement: Judgement,
        measure: Measure,
    ) -> Self {
        let Judgement { status, expected, seen } = judgement;
        Self {
            check,
            dataset,
            column: "",
            owner: "",
            severity: if status == QualityStatus::Warned { Severity::Warning } else { severity },
            blocking: false,
            status,
            value: measure.value(),
            count: measure.counts.map(|(count, _)| count),
            of: measure.counts.map(|(_, of)| of),
            expected: expected.map(global::redact),
            seen: seen.map(global::redact),
            sample: measure.sample.into_iter().map(global::redact).collect(),
            duration_seconds: 0.0,
            time: SystemTime::now(),
            message: measure.message.map(global::redact),
            details: measure.details.map(redacted),
        }
    }

    pub(super) fn skipped(check: &Instance, why: String) -> Self {
        let measure = Measure::errored(why);
        let mut result = Self::new(check, measure, Duration::ZERO);
        result.status = QualityStatus::Skipped;
        let words = format!("check {} {}", result.check, result.message.as_deref().unwrap_or_default());
        global::emit(Topic::Log, Level::Warning, global::source(check.check.place()), |_| {
            (Fact::Log { message: words.into() }, Details::default())
        });
        result
    }

    /// Whether data of which this was found must not be used.
    fn spoils(&self) -> bool {
        match self.status {
            QualityStatus::Errored => true,
            QualityStatus::Failed => self.severity == Severity::Critical,
            QualityStatus::Passed | QualityStatus::Warned | QualityStatus::Skipped => false,
        }
    }

    /// Whether what follows must not run.
    pub(super) fn stops(&self) -> bool {
        let bad = matches!(self.status, QualityStatus::Failed | QualityStatus::Errored);
        self.blocking && bad && self.severity == Severity::Critical
    }

    /// In words, what was expected and seen, and what the check says for itself.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let expected = self.expected.as_ref().map(|expected| match &self.seen {
            Some(seen) => format!("expected {expected}, seen {seen}"),
            None => format!("expected {expected}"),
        });
        let words: Vec<String> = expected.into_iter().chain(self.message.clone()).collect();
        (!words.is_empty()).then(|| words.join("; "))
    }

    pub(super) fn report_of(&self, check: &Instance, took: Duration) {
        let declared = &check.check.check;
        self.report(declared.level, global::source(declared.place), Some(took), declared.describe);
    }

    /// Logs and measures it.
    pub(super) fn report(&self, passed: Level, source: Source<'_>, took: Option<Duration>, describe: Describe) {
        let level = match (self.status, self.severity) {
            (QualityStatus::Passed | QualityStatus::Skipped, _) => passed,
            (QualityStatus::Errored, _) | (QualityStatus::Failed, Severity::Critical) => Level::Error,
            (QualityStatus::Warned, _) | (QualityStatus::Failed, Severity::Warning) => Level::Warning,
            (QualityStatus::Failed, Severity::Info) => Level::Info,
        };
        global::emit(Topic::Fact, level, source, |_| {
            let fact = Fact::QualityChecked {
                check: Cow::Borrowed(&*self.check),
                dataset: Cow::Borrowed(&*self.dataset),
                status: self.status.as_str(),
                severity: self.severity.as_str(),
                value: self.value,
                duration: took,
                message: self.why().map(Into::into),
            };
            (fact, self.entry(describe).details())
        });
    }

    fn entry(&self, describe: Describe) -> Entry {
        let mut entry = Entry::default();
        let texts = [("column", self.column), ("owner", self.owner)];
        for (name, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            entry.argument(name, text.into());
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
