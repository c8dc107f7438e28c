//! One run of data-quality checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::checks::quality::check_state::Board;
use crate::checks::quality::list::Instance;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::QualityResult;
use crate::checks::runner::ending::Ended;
use crate::checks::runner::run_all::{Admission, Plan, Way};

/// The checks of a run.
pub struct QualityPlan<'b> {
    pub checks: Vec<Instance>,
    pub board: &'b Board,
    /// No check may take longer.
    pub timeout: Option<Duration>,
    /// Told of each result.
    pub progress: Option<Progress>,
    pub done: AtomicUsize,
}

impl QualityPlan<'_> {
    /// Whether what follows the blocking checks may run.
    fn way(&self, results: &[Option<QualityResult>]) -> Way {
        let mut way = Way::Free;
        for (check, result) in self.checks.iter().zip(results).filter(|(check, _)| check.check.blocking) {
            match result {
                None => return Way::Unclear,
                Some(result) if result.stops() => {
                    way = Way::Barred(format!("skipped, because {} {}", check.name(), result.status));
                }
                Some(_) => {}
            }
        }
        way
    }

    fn settle(&self, index: usize, measure: Measure, took: Duration, is_news: bool) -> QualityResult {
        let check = &self.checks[index];
        let result = QualityResult::new(check, measure, took);
        if is_news {
            result.report_of(check, took);
        }
        self.told(&result);
        result
    }

    fn told(&self, result: &QualityResult) {
        let done = self.done.fetch_add(1, Ordering::Relaxed) + 1;
        if let Some(progress) = &self.progress {
            (progress.0)(done, self.checks.len(), result);
        }
    }
}

impl Plan for QualityPlan<'_> {
    type Value = Measure;
    type Result = QualityResult;

    fn admit(&self, index: usize, results: &[Option<QualityResult>]) -> Admission<Measure, QualityResult> {
        let check = &self.checks[index];
        if !check.check.blocking {
            match self.way(results) {
                Way::Unclear => return Admission::Wait,
                Way::Barred(why) => {
                    let result = QualityResult::skipped(check, why);
                    self.told(&result);
                    return Admission::Settled(result);
                }
                Way::Free => {}
            }
        }
        let own = check.check.check.timeout;
        match check.job(self.timeout.map_or(own, |most| most.min(own))) {
            Ok(job) => Admission::Start(job),
            Err(why) => Admission::Settled(self.settle(index, Measure::errored(why), Duration::ZERO, true)),
        }
    }

    fn judge(&self, index: usize, ended: Ended<Measure>) -> QualityResult {
        let (took, flight) = (ended.took, ended.flight);
        let is_news = self.board.is_news(self.checks[index].key(), flight);
        self.settle(index, ended.value().unwrap_or_else(Measure::errored), took, is_news)
    }

    fn stuck(&self, index: usize) -> QualityResult {
        self.settle(index, Measure::errored("nothing was run".to_owned()), Duration::ZERO, true)
    }
}
