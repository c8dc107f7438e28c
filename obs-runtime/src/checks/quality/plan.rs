//! The plan of one run of data-quality checks.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::checks::quality::check_state::CheckState;
use crate::checks::quality::gates::Gates;
use crate::checks::quality::instance::CheckInstance;
use crate::checks::quality::measure::Measure;
use crate::checks::quality::progress::Progress;
use crate::checks::quality::report::QualityResult;
use crate::checks::quality::status::Severity;
use crate::checks::runner::outcome::FinishedCall;
use crate::checks::runner::plan::{Admission, Gate, Plan};
use crate::pipeline::global;

/// The checks of a run.
pub struct QualityPlan<'s> {
    pub checks: Vec<CheckInstance>,
    pub gates: Gates,
    /// When the run began.
    pub begin: Instant,
    pub state: &'s CheckState,
    /// Upper bound for the time limit of each check.
    pub timeout: Option<Duration>,
    /// Called with each result.
    pub progress: Option<Progress>,
    pub done: AtomicUsize,
}

impl QualityPlan<'_> {
    fn finish(&self, index: usize, measure: Measure, duration: Duration, is_new: bool) -> QualityResult {
        let check = &self.checks[index];
        self.warn_of_idle_settings(check, &measure);
        let result = QualityResult::new(check, measure, duration);
        if is_new {
            result.report_declared(check, duration);
        }
        self.notify(&result);
        result
    }

    /// Warns once of settings that can never apply, as the attribute cannot tell them all.
    fn warn_of_idle_settings(&self, check: &CheckInstance, measure: &Measure) {
        let declared = &check.check;
        let only_measured = declared.severity == Severity::Info;
        let never_stops = (declared.blocking && declared.severity != Severity::Critical)
            .then(|| format!("`blocking` never applies: its severity is {}", declared.severity));
        let idle = never_stops.or_else(|| {
            measure
                .bounds
                .or(declared.bounds)
                .objection(measure)
                .filter(|_| !only_measured && declared.bounds_of_a_run.is_empty())
        });
        if let Some(why) = idle.filter(|_| self.state.is_first_warning(declared.identity())) {
            global::warn(format!("data-quality check `{}`: {why}", declared.name()));
        }
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

    fn admit(&self, index: usize, _: &[Option<QualityResult>]) -> Admission<Measure, QualityResult> {
        let check = &self.checks[index];
        match self.gates.of(index, &self.checks) {
            Gate::Pending(gate) => return Admission::Wait(gate),
            Gate::Closed(reason) => {
                let result = QualityResult::skipped(check, reason);
                self.notify(&result);
                return Admission::Finished(result);
            }
            Gate::Open => {}
        }
        let own = check.check.check.timeout;
        match check.job(self.timeout.map_or(own, |limit| limit.min(own)), self.begin) {
            Ok(job) => Admission::Start(job),
            Err(measure) => Admission::Finished(self.finish(index, *measure, Duration::ZERO, true)),
        }
    }

    fn opened(&self, index: usize, result: &QualityResult) -> Vec<usize> {
        self.gates.opened(index, result)
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
        self.finish(
            index,
            Measure::error("never runs: it comes after itself, through `after` or `blocking`"),
            Duration::ZERO,
            true,
        )
    }
}
