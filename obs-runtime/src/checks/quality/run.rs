//! Running data-quality checks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::{Duration, Instant};

use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::gates::Gates;
use crate::checks::quality::list::{self, Selected};
use crate::checks::quality::plan::QualityPlan;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::quality::selection::Selection;
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
    let selection = Selection { only: None, datasets: None };
    QualityRun { selection, at_once: None, timeout: None, progress: None }
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
    /// Runs only the checks of these names: `rows[users]`, or all items of `rows`. If one of them does not exist, nothing runs,
    /// and the report says so: see [`QualityReport::problems`].
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.selection.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Runs only the checks of this data set. Can be called for several. If one of them does not exist, nothing runs, and the
    /// report says so: see [`QualityReport::problems`].
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.selection.datasets.get_or_insert_default().insert(dataset.into());
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
    ///
    /// Runs that begin while a check is being called do not get its value, as what it reads may have changed: it is called
    /// once more for them when that call has ended.
    pub fn wait(self) -> QualityReport {
        let begin = Instant::now();
        for problem in list::problems() {
            global::warn(problem);
        }
        let Selected { checks, problems } = list::select(&self.selection, begin);
        // Without its checks, a program built with obs off has nothing to refuse.
        if !problems.is_empty() && !cfg!(feature = "off") {
            for problem in &problems {
                global::warn(format!("no data-quality check runs: {problem}"));
            }
            return QualityReport { results: Vec::new(), problems };
        }
        let state = CheckState::current();
        state.retain(&list::checks().iter().map(CheckRef::identity).collect());
        let (count, gates) = (checks.len(), Gates::new(&checks));
        let (timeout, progress, done) = (self.timeout, self.progress, AtomicUsize::new(0));
        let plan = QualityPlan { checks, gates, begin, state: &state, timeout, progress, done };
        QualityReport { results: run_all(&plan, count, &state.calls, self.at_once), problems: Vec::new() }
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
