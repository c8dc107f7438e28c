//! The plan of one run of data-quality checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::list::CheckInstance;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::QualityResult;
use crate::checks::runner::outcome::FinishedCall;
use crate::checks::runner::plan::{Admission, Gate, Plan};

/// The checks of a run.
pub struct QualityPlan<'s> {
    pub checks: Vec<CheckInstance>,
    pub state: &'s CheckState,
    /// Upper bound for the time limit of each check.
    pub timeout: Option<Duration>,
    /// Called with each result.
    pub progress: Option<Progress>,
    pub done: AtomicUsize,
}

impl QualityPlan<'_> {
    /// Whether the blocking checks let the others run.
    fn gate(&self, results: &[Option<QualityResult>]) -> Gate {
        let mut gate = Gate::Open;
        for (check, result) in self.checks.iter().zip(results).filter(|(check, _)| check.check.blocking) {
            match result {
                None => return Gate::Pending,
                Some(result) if result.stops() => {
                    gate = Gate::Closed(format!("skipped, because {} {}", check.name(), result.status));
                }
                Some(_) => {}
            }
        }
        gate
    }

    fn finish(&self, index: usize, measure: Measure, duration: Duration, is_new: bool) -> QualityResult {
        let check = &self.checks[index];
        let result = QualityResult::new(check, measure, duration);
        if is_new {
            result.report_declared(check, duration);
        }
        self.notify(&result);
        result
    }

    fn notify(&self, result: &QualityResult) {
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
            match self.gate(results) {
                Gate::Pending => return Admission::Wait,
                Gate::Closed(reason) => {
                    let result = QualityResult::skipped(check, reason);
                    self.notify(&result);
                    return Admission::Finished(result);
                }
                Gate::Open => {}
            }
        }
        let own = check.check.check.timeout;
        match check.job(self.timeout.map_or(own, |limit| limit.min(own))) {
            Ok(job) => Admission::Start(job),
            Err(reason) => Admission::Finished(self.finish(index, Measure::error(reason), Duration::ZERO, true)),
        }
    }

    fn judge(&self, index: usize, finished: FinishedCall<Measure>) -> QualityResult {
        let (duration, call, span) = (finished.duration, finished.call, finished.span.clone());
        let is_new = self.state.is_first_report(self.checks[index].key(), call);
        let result = self.finish(index, finished.value().unwrap_or_else(Measure::error), duration, is_new);
        if let Some(span) = span {
            result.end_span(span, &self.checks[index]);
        }
        result
    }

    fn deadlocked(&self, index: usize) -> QualityResult {
        self.finish(index, Measure::error("nothing was run"), Duration::ZERO, true)
    }
}
