//! The plan of one run of health checks.

use std::time::Duration;

use crate::checks::health::check::HealthCheck;
use crate::checks::health::check_state::CheckState;
use crate::checks::health::report::HealthResult;
use crate::checks::health::status::{Health, Status};
use crate::checks::runner::job::Job;
use crate::checks::runner::outcome::FinishedCall;
use crate::checks::runner::plan::{Admission, Gate, Plan};
use crate::checks::runner::registry::CheckRef;

/// The checks of a run.
pub struct HealthPlan<'s> {
    pub checks: Vec<CheckRef<HealthCheck>>,
    pub state: &'s CheckState,
    /// Upper bound for the time limit of each check.
    pub timeout: Option<Duration>,
    /// Whether to ignore cached results.
    pub uncached: bool,
}

impl HealthPlan<'_> {
    fn gate(&self, check: &HealthCheck, results: &[Option<HealthResult>]) -> Gate {
        let mut gate = Gate::Open;
        for (position, (other, result)) in self.checks.iter().zip(results).enumerate() {
            if !check.after.contains(&other.name()) {
                continue;
            }
            match result.as_ref().map(|result| result.status) {
                None => return Gate::Pending(position),
                Some(status @ (Status::Unhealthy | Status::Skipped)) => {
                    gate = Gate::Closed(format!("skipped, because {} is {status}", other.name()));
                }
                Some(Status::Unknown | Status::Healthy | Status::Degraded) => {}
            }
        }
        gate
    }

    fn job(&self, index: usize) -> Job<Health> {
        let check = self.checks[index].clone();
        let own = check.check.timeout;
        Job {
            key: (check.identity(), String::new()),
            timeout: self.timeout.map_or(own, |limit| limit.min(own)),
            run: Box::new(move || check.check.run.call()),
            not_before: None,
            operation: None,
        }
    }

    /// The result of a check that was not called.
    fn without_call(&self, index: usize, health: Health) -> HealthResult {
        let check = &self.checks[index];
        let result = HealthResult::new(check, health, Duration::ZERO);
        result.report(check);
        result
    }
}

impl Plan for HealthPlan<'_> {
    type Value = Health;
    type Result = HealthResult;

    fn admit(&self, index: usize, results: &[Option<HealthResult>]) -> Admission<Health, HealthResult> {
        let check = &self.checks[index];
        match self.gate(check, results) {
            Gate::Pending(gate) => return Admission::Wait(gate),
            Gate::Closed(reason) => return Admission::Finished(self.without_call(index, Health::skipped(reason))),
            Gate::Open => {}
        }
        let recent = if self.uncached { None } else { self.state.recent(check.identity(), check.cache) };
        recent.map_or_else(|| Admission::Start(self.job(index)), Admission::Finished)
    }

    fn judge(&self, index: usize, finished: FinishedCall<Health>) -> HealthResult {
        let check = &self.checks[index];
        let span = finished.span.clone();
        let (result, is_new) = self.state.judge(check.identity(), check, finished);
        if is_new {
            result.report(check);
        }
        if let Some(span) = span {
            result.end_span(span, check);
        }
        result
    }

    fn deadlocked(&self, index: usize) -> HealthResult {
        let through = self.checks[index].after.join(", ");
        self.without_call(index, Health::unhealthy(format!("never runs: it comes after itself, through {through}")))
    }
}
