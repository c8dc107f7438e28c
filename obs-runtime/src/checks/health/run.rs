//! Running health checks.

use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use crate::base::level::Level;
use crate::base::standard_streams::Hurry;
use crate::checks::health::check_state::Board;
use crate::checks::health::list;
use crate::checks::health::plan::HealthPlan;
use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::verdict::{Health, Status};
use crate::checks::runner::run_all::run_all;
use crate::checks::runner::waiting::on_a_thread;
use crate::events::event::{Details, Fact};
use crate::exporters::interface::Topic;
use crate::pipeline::global;

/// Runs every health check of the program: at once, each isolated, each with its time limit.
///
/// Choose first, then [`wait`](HealthRun::wait) for it, or `.await` it. Each result is logged and measured
/// (`health_check.status`, `health_check.duration.seconds`) when obs is initialised; without it, checks run all the same.
///
/// ```standalone_crate
/// use obs_runtime::{Status, run_health_checks};
///
/// let report = run_health_checks().wait();
/// // No function of this program bears `#[health_check]`.
/// assert_eq!(report.status, Status::Unknown);
/// ```
#[must_use = "checks run when they are waited for"]
pub const fn run_health_checks() -> HealthRun {
    HealthRun { timeout: None, groups: Vec::new(), at_once: None, uncached: false }
}

/// A run of health checks, about to begin.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct HealthRun {
    timeout: Option<Duration>,
    groups: Vec<String>,
    at_once: Option<usize>,
    uncached: bool,
}

impl HealthRun {
    /// No check may take longer than this, whatever it says of itself.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs the checks of this group only, and those that they come `after`; called again, of that one too.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Runs no more than so many at once. Without it, 64, and more when some of these take long.
    pub const fn at_once(mut self, checks: usize) -> Self {
        self.at_once = Some(checks);
        self
    }

    /// Runs every check, even when its `cache` still holds.
    pub const fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    /// Runs the checks on threads of their own and blocks this one until all have ended or timed out.
    #[track_caller]
    pub fn wait(self) -> HealthReport {
        let report = self.run();
        if report.status == Status::Unknown {
            let caller = Location::caller();
            global::emit(Topic::Log, Level::Warning, global::caller(caller), |_| {
                (Fact::Log { message: "no health check is registered".into() }, Details::default())
            });
        }
        report
    }

    pub(super) fn run(self) -> HealthReport {
        let _hurry = Hurry::begin();
        let checks = list::select(&self.groups);
        if global::pipeline().is_some_and(|pipeline| !pipeline.config().health_check_enabled) {
            let skipped = |check: &_| HealthResult::new(check, Health::skipped(SWITCHED_OFF), Duration::ZERO);
            let checks = checks.iter().map(|check| skipped(check)).collect();
            return HealthReport { status: Status::Skipped, checks };
        }
        for group in &self.groups {
            let known = list::groups();
            if !known.contains(&&**group) {
                global::warn(format!("no health check is in the group `{group}`; there are {}", known.join(", ")));
            }
        }
        for problem in list::problems() {
            global::warn(problem);
        }
        let board = Board::current();
        board.keep(&list::checks());
        let count = checks.len();
        let plan = HealthPlan { checks, board: &board, timeout: self.timeout, uncached: self.uncached };
        HealthReport::new(run_all(&plan, count, &board.flights, self.at_once))
    }
}

const SWITCHED_OFF: &str = "health checks are switched off (HEALTH_CHECK_ENABLED)";

impl IntoFuture for HealthRun {
    type Output = HealthReport;
    type IntoFuture = Pin<Box<dyn Future<Output = HealthReport> + Send>>;

    /// Runs the checks without blocking this thread, on any executor.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(on_a_thread(move || self.wait()))
    }
}
