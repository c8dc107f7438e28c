//! Data-quality checks: declared on a function, known at link time, judged by the value that they measure.

mod verdict;

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

use verdict::Bounds;
pub use verdict::{IntoMeasure, Measure, QualityStatus, Severity};

use crate::call::Entry;
use crate::callsite::Place;
use crate::event::{Fact, Source};
use crate::global;
use crate::level::Level;
use crate::runner::{Answer, Ending, Job, run_all};
use crate::sinks::Topic;

/// Every function under `#[dq_check]`.
#[linkme::distributed_slice]
pub static QUALITY_CHECKS: [QualityCheck];

/// How long a check may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_mins(5);

/// Says what else a check's line tells.
type Describe = fn(&mut Entry);

/// A function under `#[dq_check]`.
#[derive(Debug)]
pub struct QualityCheck {
    name: &'static str,
    place: Place,
    run: fn() -> Answer<Measure>,
    timeout: Duration,
    dataset: &'static str,
    column: &'static str,
    owner: &'static str,
    severity: Severity,
    bounds: Bounds,
    level: Level,
    describe: Describe,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty => $($field:ident).+ = $value:expr;)*) => {$(
        $(#[$doc])*
        #[must_use]
        pub const fn $name(mut self, $name: $type) -> Self {
            self.$($field).+ = $value;
            self
        }
    )*};
}

impl QualityCheck {
    /// A check of that name: of severity `critical`, for a value that has no bounds.
    #[must_use]
    pub const fn new(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: fn() -> Answer<Measure>,
    ) -> Self {
        Self {
            name,
            place: Place { module, file, line },
            run,
            timeout: TIMEOUT,
            dataset: "",
            column: "",
            owner: "",
            severity: Severity::Critical,
            bounds: Bounds::NONE,
            level: Level::Debug,
            describe: |_| {},
        }
    }

    setters! {
        /// How long it may take, in milliseconds.
        timeout_millis: u64 => timeout = Duration::from_millis(timeout_millis);
        /// The data set that it looks at.
        dataset: &'static str => dataset = dataset;
        /// The column that it looks at.
        column: &'static str => column = column;
        /// Who is to be asked when it fails.
        owner: &'static str => owner = owner;
        /// How bad its failure is.
        severity: Severity => severity = severity;
        /// A value above this is worth a warning.
        warn_above: f64 => bounds.warn_above = Some(warn_above);
        /// A value above this is a failure.
        fail_above: f64 => bounds.fail_above = Some(fail_above);
        /// A value below this is worth a warning.
        warn_below: f64 => bounds.warn_below = Some(warn_below);
        /// A value below this is a failure.
        fail_below: f64 => bounds.fail_below = Some(fail_below);
        /// Level of its line when it passes.
        level: Level => level = level;
        /// What else its line says.
        describe: Describe => describe = describe;
    }

    /// The answer of a plain function.
    pub fn ready(value: impl IntoMeasure) -> Answer<Measure> {
        Answer::Ready(value.into_measure())
    }

    /// The answer of an async function.
    pub fn pending<F: Future<Output: IntoMeasure> + 'static>(future: F) -> Answer<Measure> {
        Answer::Pending(Box::pin(async { future.await.into_measure() }))
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where the function stands.
    pub const fn place(&self) -> Place {
        self.place
    }
}

/// Runs every data-quality check of the program: at once, each isolated, each with its time limit.
///
/// Select first, then [`wait`](QualityRun::wait) for it. Each result is logged and measured (`data_quality.check.*`) when
/// obs is initialised; without it, checks run all the same.
///
/// ```standalone_crate
/// let report = obs_runtime::run_dq_checks().only(["null_ids"]).wait();
/// assert!(report.passed() && report.results.is_empty());
/// ```
pub const fn run_dq_checks() -> QualityRun {
    QualityRun { only: None }
}

/// A run of data-quality checks, about to begin.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct QualityRun {
    only: Option<Vec<String>>,
}

impl QualityRun {
    /// Runs the checks of these names only. A name that no check bears is warned of.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Runs the checks on threads of their own and blocks this one until all have ended or timed out.
    pub fn wait(self) -> QualityReport {
        let known = |name: &String| QUALITY_CHECKS.iter().any(|check| check.name == name);
        for unknown in self.only.iter().flatten().filter(|name| !known(name)) {
            global::warn(format!("there is no data-quality check `{unknown}`"));
        }
        let selected =
            |check: &&QualityCheck| self.only.as_ref().is_none_or(|names| names.iter().any(|name| name == check.name));
        let mut checks: Vec<&'static QualityCheck> = QUALITY_CHECKS.iter().filter(selected).collect();
        checks.sort_by_key(|check| (check.name, check.place.file, check.place.line));
        let jobs = checks.iter().map(|check| Job { run: check.run, timeout: check.timeout }).collect();
        let results = checks.iter().zip(run_all(jobs)).map(|(check, (ending, took))| {
            let result = QualityResult::new(check, ending, took);
            result.report(check.level, global::source(check.place), Some(took), check.describe);
            result
        });
        QualityReport { results: results.collect() }
    }
}

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
        !self.results.iter().any(|result| match result.status {
            QualityStatus::Errored => true,
            QualityStatus::Failed => result.severity == Severity::Critical,
            QualityStatus::Passed | QualityStatus::Warned => false,
        })
    }

    /// How many checks ended so.
    #[must_use]
    pub fn count(&self, status: QualityStatus) -> usize {
        self.results.iter().filter(|result| result.status == status).count()
    }
}

/// What one data-quality check found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct QualityResult {
    /// The check's name.
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
    /// How it ended.
    pub status: QualityStatus,
    /// What was measured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What was expected of the value, where it was not met.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How long it took, in seconds; 0 when it was carried out by hand.
    pub duration_seconds: f64,
    /// What it says for itself, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl QualityResult {
    fn new(check: &QualityCheck, ending: Ending<Measure>, took: Duration) -> Self {
        let measure = match ending {
            Ending::Done(measure) => measure,
            Ending::Panicked(words) => Measure::errored(format!("panicked: {words}")),
            Ending::TimedOut => {
                Measure::errored(format!("no answer within {}", humantime::format_duration(check.timeout)))
            }
        };
        let (status, expected) = check.bounds.judge(&measure);
        Self {
            check: Cow::Borrowed(check.name),
            dataset: Cow::Borrowed(check.dataset),
            column: check.column,
            owner: check.owner,
            severity: if status == QualityStatus::Warned { Severity::Warning } else { check.severity },
            status,
            value: measure.value(),
            expected,
            duration_seconds: took.as_secs_f64(),
            message: measure.into_message().map(global::redact),
        }
    }

    fn report(&self, passed: Level, source: Source<'_>, took: Option<Duration>, describe: fn(&mut Entry)) {
        let level = match (self.status, self.severity) {
            (QualityStatus::Passed, _) => passed,
            (QualityStatus::Errored, _) | (QualityStatus::Failed, Severity::Critical) => Level::Error,
            (QualityStatus::Warned, _) | (QualityStatus::Failed, Severity::Warning) => Level::Warning,
            (QualityStatus::Failed, Severity::Info) => Level::Info,
        };
        global::emit(Topic::Fact, level, source, |_| {
            let mut entry = Entry::default();
            if !self.column.is_empty() {
                entry.argument("column", self.column.into());
            }
            if !self.owner.is_empty() {
                entry.argument("owner", self.owner.into());
            }
            entry.describe(describe);
            let message = [&self.expected, &self.message].into_iter().flatten().cloned().collect::<Vec<_>>().join("; ");
            let fact = Fact::QualityChecked {
                check: Cow::Borrowed(&*self.check),
                dataset: Cow::Borrowed(&*self.dataset),
                status: self.status.as_str(),
                severity: self.severity.as_str(),
                value: self.value,
                duration: took,
                message: (!message.is_empty()).then_some(message.into()),
            };
            (fact, entry.details())
        });
    }
}

/// Records a data-quality check that was carried out by hand: `data_quality.check.*` and a log line. `value` is a
/// number, a `bool`, or a `Result` of these.
///
/// ```
/// use obs_runtime::{Severity, track_data_quality_check};
///
/// let result = track_data_quality_check("no_nulls", "users", Severity::Warning, true);
/// assert_eq!(result.status.as_str(), "passed");
/// ```
#[track_caller]
pub fn track_data_quality_check(
    check: impl Into<Cow<'static, str>>,
    dataset: impl Into<Cow<'static, str>>,
    severity: Severity,
    value: impl IntoMeasure,
) -> QualityResult {
    let measure = value.into_measure();
    let (status, expected) = Bounds::NONE.judge(&measure);
    let result = QualityResult {
        check: check.into(),
        dataset: dataset.into(),
        column: "",
        owner: "",
        severity,
        status,
        value: measure.value(),
        expected,
        duration_seconds: 0.0,
        message: measure.into_message().map(global::redact),
    };
    result.report(Level::Debug, global::caller(Location::caller()), None, |_| {});
    result
}
