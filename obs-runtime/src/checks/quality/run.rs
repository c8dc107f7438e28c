//! Running data-quality checks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use crate::base::standard_streams::Hurry;
use crate::checks::quality::check_state::Board;
use crate::checks::quality::list;
use crate::checks::quality::list::Instance;
use crate::checks::quality::plan::QualityPlan;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::{QualityReport, QualityResult};
use crate::checks::runner::run_all::run_all;
use crate::checks::runner::waiting::on_a_thread;
use crate::pipeline::global;

/// Runs every data-quality check of the program: at once, each isolated, each with its time limit. Those that block run
/// first.
///
/// Choose first, then [`wait`](QualityRun::wait) for it, or `.await` it. Each result is logged and measured
/// (`data_quality.check.*`) when obs is initialised; without it, checks run all the same.
///
/// ```standalone_crate
/// let report = obs_runtime::run_dq_checks().only(["null_ids"]).wait();
/// assert!(report.passed() && report.results.is_empty());
/// ```
pub const fn run_dq_checks() -> QualityRun {
    QualityRun { only: None, datasets: None, at_once: None, timeout: None, progress: None }
}

/// A run of data-quality checks, about to begin.
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
    /// Runs the checks of these names only: `rows[users]`, or all of `rows`. A name that no check bears is warned of.
    pub fn only<N: Into<String>>(mut self, names: impl IntoIterator<Item = N>) -> Self {
        self.only.get_or_insert_default().extend(names.into_iter().map(Into::into));
        self
    }

    /// Runs the checks of this data set only; called again, of that one too. One that no check looks at is warned of.
    pub fn dataset(mut self, dataset: impl Into<String>) -> Self {
        self.datasets.get_or_insert_default().push(dataset.into());
        self
    }

    /// Runs no more than so many at once. Without it, 64, and more when some of these take long.
    pub const fn at_once(mut self, checks: usize) -> Self {
        self.at_once = Some(checks);
        self
    }

    /// No check may take longer than this, whatever it says of itself.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Has each result told as soon as it is there: how many there are so far, of how many, and the result.
    pub fn on_result(mut self, listener: impl Fn(usize, usize, &QualityResult) + Send + Sync + 'static) -> Self {
        self.progress = Some(Progress(Arc::new(listener)));
        self
    }

    /// Runs the checks on threads of their own and blocks this one until all have ended or timed out.
    pub fn wait(self) -> QualityReport {
        let _hurry = Hurry::begin();
        for problem in list::problems() {
            global::warn(problem);
        }
        let all = list::instances();
        let board = Board::current();
        board.keep(&all.iter().map(Instance::key).collect::<Vec<_>>());
        let by_name = |check: &Instance, name: &String| *name == check.name() || name == check.check.name();
        let by_dataset = |check: &Instance, dataset: &String| *dataset == check.dataset();
        warn_of_strangers(self.only.as_deref(), &all, by_name, |name| {
            format!("there is no data-quality check `{name}`")
        });
        warn_of_strangers(self.datasets.as_deref(), &all, by_dataset, |dataset| {
            format!("no data-quality check looks at the data set `{dataset}`")
        });
        let checks: Vec<Instance> = all
            .into_iter()
            .filter(|check| self.only.as_ref().is_none_or(|names| names.iter().any(|name| by_name(check, name))))
            .filter(|check| self.datasets.as_ref().is_none_or(|sets| sets.iter().any(|set| by_dataset(check, set))))
            .collect();
        let count = checks.len();
        let done = AtomicUsize::new(0);
        let plan = QualityPlan { checks, board: &board, timeout: self.timeout, progress: self.progress, done };
        QualityReport { results: run_all(&plan, count, &board.flights, self.at_once) }
    }
}

fn warn_of_strangers(
    wanted: Option<&[String]>,
    all: &[Instance],
    is: impl Fn(&Instance, &String) -> bool,
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
        Box::pin(on_a_thread(move || self.wait()))
    }
}
