//! Running data-quality checks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::gates::Gates;
use crate::checks::quality::last_run;
use crate::checks::quality::list::{self, Selected};
use crate::checks::quality::partition::Partitions;
use crate::checks::quality::plan::QualityPlan;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::selection::Selection;
use crate::checks::quality::status::Severity;
use crate::checks::runner::background::run_in_background;
use crate::checks::runner::registry::CheckRef;
use crate::checks::runner::run_all::run_all;
use crate::pipeline::global;

/// Runs every data-quality check of the program concurrently, each on a thread of its own with its time limit. The blocking
/// checks of a data set run before its others.
///
/// Nothing runs before [`wait`](QualityRun::wait) or `.await`. Each result is logged and measured (`data_quality.check.*`)
/// when obs is initialised; checks run without it too.
///
/// ```standalone_crate
/// let report = obs_runtime::run_dq_checks().only(["null_ids"]).wait();
/// assert!(!report.passed(), "what was not checked has not passed");
/// assert_eq!(report.problems, ["there is no check `null_ids`; `dq list` shows all"]);
/// ```
pub const fn run_dq_checks() -> QualityRun {
    QualityRun { selection: Selection::ALL, at_once: None, timeout: None, progress: None }
}

/// A run of data-quality checks that has not started.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct QualityRun {
    selection: Selection,
    at_once: Option<usize>,
    timeout: Option<Duration>,
    progress: Option<Progress>,
}

impl QualityRun {
    /// Runs only the checks of these names: `rows[users]`, or all items of `rows`. `*` stands for any letters and `?` for one:
    /// `null_*`, `*[users]`. If one of them does not exist, nothing runs, and the report says so: see
    /// [`QualityReport::problems`].
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.only.give();
        names.into_iter().for_each(|name| self.selection.only.add(name.into()));
        self
    }

    /// Leaves these checks out: names and patterns as of [`only`](Self::only).
    pub fn exclude<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        names.into_iter().for_each(|name| self.selection.exclude.add(name.into()));
        self
    }

    /// Runs only the checks of this data set; `*` and `?` as of [`only`](Self::only). Can be called for several. If one of them does
    /// not exist, nothing runs, and the report says so: see [`QualityReport::problems`].
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.selection.datasets.add(dataset.into());
        self
    }

    /// Runs only the checks of this owner; `*` and `?` as of [`only`](Self::only). Can be called for several.
    pub fn owner(mut self, owner: impl Into<String>) -> Self {
        self.selection.owners.add(owner.into());
        self
    }

    /// Runs only the checks with this tag: `tier`, or `tier=gold`; `*` and `?` as of [`only`](Self::only). Can be called for several.
    pub fn tag(mut self, tag: impl Into<String>) -> Self {
        self.selection.tags.add(tag.into());
        self
    }

    /// Runs only the checks of this declared severity. Can be called for several.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.selection.severities.insert(severity);
        self
    }

    /// Runs only the checks that did not pass when they ran last, of this service and environment; of a check with partitions, each
    /// partition that did not, or those of them that [`partition`](Self::partition) or [`since`](Self::since) name. What did not pass is kept in the
    /// state folder at the end of each run, where `OBS_STATE_DIR` names one and obs is initialised; names are redacted there. If
    /// it is not known, or all passed, nothing runs, and the report says so: see [`QualityReport::problems`].
    pub const fn failed_last(mut self) -> Self {
        self.selection.failed_last = true;
        self
    }

    /// Which part of the data the checks with `#[dq_check(partition = …)]` are about: a day (`2026-11-28`), a month (`2026-11`) or an hour
    /// (`2026-11-28T05`), in UTC. A check runs for each of its partitions that begins within it, or for the one that contains it.
    /// The default is the last one that has ended. Checks without partitions run once. If the text is no partition, or no check has
    /// partitions, nothing runs, and the report says so: see [`QualityReport::problems`].
    pub fn partition(mut self, partition: impl Into<String>) -> Self {
        self.selection.partitions = Partitions::Of(partition.into());
        self
    }

    /// As [`partition`](Self::partition), for each partition from this one on that has ended: at most 1000 of a check.
    pub fn since(mut self, partition: impl Into<String>) -> Self {
        self.selection.partitions = Partitions::Since(partition.into());
        self
    }

    /// Limits how many checks run at once. The default is 64, and more when some of them are slow.
    pub const fn at_once(mut self, checks: usize) -> Self {
        self.at_once = Some(checks);
        self
    }

    /// Limits the duration of each check, in addition to its own limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Calls `listener` with each result as it arrives: the number of results so far, the number of checks, and the result.
    pub fn on_result(mut self, listener: impl Fn(usize, usize, &QualityResult) + Send + Sync + 'static) -> Self {
        self.progress = Some(Progress(Arc::new(listener)));
        self
    }

    /// The checks that it would run, and what is wrong with the selection.
    #[cfg(feature = "cli")]
    pub(crate) fn selected(&self) -> Selected {
        list::select(&self.selection, Instant::now())
    }

    /// Blocks until all checks have ended or timed out.
    ///
    /// Runs that begin while a check is being called do not get its value, as what it reads may have changed: it is called
    /// once more for them when that call has ended.
    pub fn wait(self) -> QualityReport {
        let begin = Instant::now();
        for problem in list::problems() {
            global::warn_with_help("check-names", problem);
        }
        let Selected { checks, problems } = list::select(&self.selection, begin);
        // Without its checks, a program built with obs off has nothing to refuse.
        if !problems.is_empty() && !cfg!(feature = "off") {
            for problem in &problems {
                global::warn_with_help("nothing-checked", format!("no data-quality check runs: {problem}"));
            }
            return QualityReport { results: Vec::new(), problems };
        }
        let state = CheckState::current();
        state.retain(&list::checks().iter().map(CheckRef::identity).collect());
        let (count, gates) = (checks.len(), Gates::new(&checks));
        let (timeout, progress, done) = (self.timeout, self.progress, AtomicUsize::new(0));
        let plan = QualityPlan { checks, gates, begin, state: &state, timeout, progress, done };
        let results = run_all(&plan, count, &state.calls, self.at_once);
        last_run::keep(plan.checks.iter().zip(&results));
        QualityReport { results, problems: Vec::new() }
    }
}

impl IntoFuture for QualityRun {
    type Output = QualityReport;
    type IntoFuture = Pin<Box<dyn Future<Output = QualityReport> + Send>>;

    /// Runs the checks without blocking this thread, on any executor.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run_in_background(move || self.wait()))
    }
}
