//! Running data-quality checks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::list;
use crate::checks::quality::list::CheckInstance;
use crate::checks::quality::plan::QualityPlan;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::runner::background::run_in_background;
use crate::checks::runner::run_all::run_all;
use crate::pipeline::global;

/// Runs every data-quality check of the program concurrently, each on a thread of its own with its time limit. Blocking
/// checks run first.
///
/// Nothing runs before [`wait`](QualityRun::wait) or `.await`. Each result is logged and measured (`data_quality.check.*`)
/// when obs is initialised; checks run without it too.
///
/// ```standalone_crate
/// let report = obs_runtime::run_dq_checks().only(["null_ids"]).wait();
/// assert!(report.passed() && report.results.is_empty());
/// ```
pub const fn run_dq_checks() -> QualityRun {
    QualityRun { only: None, datasets: None, at_once: None, timeout: None, progress: None }
}

/// A run of data-quality checks that has not started.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct QualityRun {
    only: Option<Vec<String>>,
    datasets: Option<Vec<String>>,
    at_once: Option<usize>,
    timeout: Option<Duration>,
    progress: Option<Progress>,
}

impl QualityRun {
    /// Runs only the checks of these names: `rows[users]`, or all items of `rows`. An unknown name is logged as a warning.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Runs only the checks of this data set. Can be called for several. An unknown data set is logged as a warning.
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.datasets.get_or_insert_default().push(dataset.into());
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

    /// Blocks until all checks have ended or timed out.
    pub fn wait(self) -> QualityReport {
        for problem in list::problems() {
            global::warn(problem);
        }
        let all = list::instances();
        let state = CheckState::current();
        state.retain(&all.iter().map(CheckInstance::key).collect::<Vec<_>>());
        let by_name = |check: &CheckInstance, name: &String| *name == check.name() || name == check.check.name();
        let by_dataset = |check: &CheckInstance, dataset: &String| *dataset == check.dataset();
        warn_of_unknown(self.only.as_deref(), &all, by_name, |name| format!("there is no data-quality check `{name}`"));
        warn_of_unknown(self.datasets.as_deref(), &all, by_dataset, |dataset| {
            format!("no data-quality check is of the data set `{dataset}`")
        });
        let checks: Vec<CheckInstance> = all
            .into_iter()
            .filter(|check| self.only.as_ref().is_none_or(|names| names.iter().any(|name| by_name(check, name))))
            .filter(|check| self.datasets.as_ref().is_none_or(|sets| sets.iter().any(|set| by_dataset(check, set))))
            .collect();
        let count = checks.len();
        let done = AtomicUsize::new(0);
        let plan = QualityPlan { checks, state: &state, timeout: self.timeout, progress: self.progress, done };
        QualityReport { results: run_all(&plan, count, &state.calls, self.at_once) }
    }
}

fn warn_of_unknown(
    wanted: Option<&[String]>,
    all: &[CheckInstance],
    is: impl Fn(&CheckInstance, &String) -> bool,
    words: impl Fn(&str) -> String,
) {
    for wanted in wanted.unwrap_or_default() {
        if !all.iter().any(|check| is(check, wanted)) {
            global::warn(words(wanted));
        }
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
