//! One run of health checks.

use std::time::Duration;

use crate::checks::health::check::HealthCheck;
use crate::checks::health::check_state::Board;
use crate::checks::health::report::HealthResult;
use crate::checks::health::verdict::{Health, Status};
use crate::checks::runner::ending::Ended;
use crate::checks::runner::job::Job;
use crate::checks::runner::listed::Listed;
use crate::checks::runner::run_all::{Admission, Plan, Way};

/// The checks of a run.
pub struct HealthPlan<'b> {
    pub checks: Vec<Listed<HealthCheck>>,
    pub board: &'b Board,
    /// No check may take longer.
    pub timeout: Option<Duration>,
    /// Whether nothing but new results will do.
    pub uncached: bool,
}

impl HealthPlan<'_> {
    fn way(&self, check: &HealthCheck, results: &[Option<HealthResult>]) -> Way {
        let mut way = Way::Free;
        for (other, result) in self.checks.iter().zip(results) {
            if !check.after.contains(&other.name()) {
                continue;
            }
            match result.as_ref().map(|result| result.status) {
                None => return Way::Unclear,
                Some(status @ (Status::Unhealthy | Status::Skipped)) => {
                    way = Way::Barred(format!("skipped, because {} is {status}", other.name()));
                }
                Some(Status::Unknown | Status::Healthy | Status::Degraded) => {}
            }
        }
        way
    }

    fn job(&self, index: usize) -> Job<Health> {
        let check = self.checks[index].clone();
        let own = check.check.timeout;
        Job {
            key: (check.identity(), String::new()),
            timeout: self.timeout.map_or(own, |most| most.min(own)),
            run: Box::new(move || check.check.run.call()),
        }
    }
}

impl Plan for HealthPlan<'_> {
    type Value = Health;
    type Result = HealthResult;

    fn admit(&self, index: usize, results: &[Option<HealthResult>]) -> Admission<Health, HealthResult> {
        let check = &self.checks[index];
        match self.way(check, results) {
            Way::Unclear => return Admission::Wait,
            Way::Barred(why) => {
                let result = HealthResult::new(check, Health::skipped(why), Duration::ZERO);
                result.report(check);
                return Admission::Settled(result);
            }
            Way::Free => {}
        }
        let recent = if self.uncached { None } else { self.board.recent(check.identity(), check.cache) };
        recent.map_or_else(|| Admission::Start(self.job(index)), Admission::Settled)
    }

    fn judge(&self, index: usize, ended: Ended<Health>) -> HealthResult {
        let check = &self.checks[index];
        let (result, first) = self.board.judge(check.identity(), check, ended);
        if first {
            result.report(check);
        }
        result
    }

    fn stuck(&self, index: usize) -> HealthResult {
        let check = &self.checks[index];
        let why = format!("never runs: it comes after itself, through {}", check.after.join(", "));
        let result = HealthResult::new(check, Health::unhealthy(why), Duration::ZERO);
        result.report(check);
        result
    }
}
