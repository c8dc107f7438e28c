//! Running health checks.

use std::panic::Location;
use std::pin::Pin;
use std::time::Duration;

use crate::base::level::Level;
use crate::checks::health::check_state::CheckState;
use crate::checks::health::list;
use crate::checks::health::plan::HealthPlan;
use crate::checks::health::report::{HealthReport, HealthResult};
use crate::checks::health::status::{Health, Status};
use crate::checks::runner::background::run_in_background;
use crate::checks::runner::run_all::run_all;
use crate::events::event::{Details, Fact};
use crate::exporters::interface::Topic;
use crate::pipeline::global;

/// Runs every health check of the program concurrently, each on a thread of its own with its time limit.
///
/// Nothing runs before [`wait`](HealthRun::wait) or `.await`. Each result is logged and measured (`health_check.status`,
/// `health_check.duration.seconds`) when obs is initialised; checks run without it too.
///
/// ```standalone_crate
/// use obs_runtime::{Status, run_health_checks};
///
/// let report = run_health_checks().wait();
/// // This program has no health check.
/// assert_eq!(report.status, Status::Unknown);
/// ```
#[must_use = "checks run when they are waited for"]
pub const fn run_health_checks() -> HealthRun {
    HealthRun { timeout: None, groups: Vec::new(), at_once: None, uncached: false, forced: false }
}

/// A run of health checks that has not started.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct HealthRun {
    timeout: Option<Duration>,
    groups: Vec<String>,
    at_once: Option<usize>,
    uncached: bool,
    forced: bool,
}

impl HealthRun {
    /// Limits the duration of each check, in addition to its own limit.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs only the checks of this group, and those that they come `after`. Can be called for several groups.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.groups.push(group.into());
        self
    }

    /// Limits how many checks run at once. The default is 64, and more when some of them are slow.
    pub const fn at_once(mut self, checks: usize) -> Self {
        self.at_once = Some(checks);
        self
    }

    /// Ignores cached results.
    pub const fn uncached(mut self) -> Self {
        self.uncached = true;
        self
    }

    /// Runs the checks also if health checks are disabled.
    #[cfg(feature = "cli")]
    pub(crate) const fn forced(mut self) -> Self {
        self.forced = true;
        self
    }

    /// Blocks until all checks have ended or timed out.
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
        let checks = list::select(&self.groups);
        let are_disabled = || global::pipeline().is_some_and(|pipeline| !pipeline.config().health_check_enabled);
        if !self.forced && are_disabled() {
            let skipped = |check: &_| HealthResult::new(check, Health::skipped(DISABLED), Duration::ZERO);
            let checks = checks.iter().map(|check| skipped(check)).collect();
            return HealthReport { status: Status::Skipped, checks };
        }
        for group in &self.groups {
            let known = list::groups();
            if !known.contains(&&**group) {
                global::warn_with_help(
                    "unknown-health-group",
                    format!("no health check is in the group `{group}`; the groups are {}", known.join(", ")),
                );
            }
        }
        for problem in list::problems() {
            global::warn_with_help("check-names", problem);
        }
        let state = CheckState::current();
        state.retain(&list::checks());
        let count = checks.len();
        let plan = HealthPlan { checks, state: &state, timeout: self.timeout, uncached: self.uncached };
        HealthReport::new(run_all(&plan, count, &state.calls, self.at_once))
    }
}

const DISABLED: &str = "health checks are disabled (HEALTH_CHECK_ENABLED)";

impl IntoFuture for HealthRun {
    type Output = HealthReport;
    type IntoFuture = Pin<Box<dyn Future<Output = HealthReport> + Send>>;

    /// Runs the checks without blocking this thread, on any executor.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(run_in_background(move || self.wait()))
    }
}
