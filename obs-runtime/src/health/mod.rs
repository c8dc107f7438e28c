//! Health checks: declared on a function, known at link time, run together.

mod verdict;

use std::panic::Location;
use std::time::Duration;

use serde::Serialize;

pub use verdict::{Health, IntoHealth, Status};

use crate::call::Entry;
use crate::callsite::Place;
use crate::event::{Details, Fact};
use crate::global;
use crate::level::Level;
use crate::runner::{Answer, Ending, Job, run_all};
use crate::sinks::Topic;

/// Every function under `#[health_check]`.
#[linkme::distributed_slice]
pub static HEALTH_CHECKS: [HealthCheck];

/// How long a check may take unless it says otherwise.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A function under `#[health_check]`.
#[derive(Debug)]
pub struct HealthCheck {
    name: &'static str,
    place: Place,
    run: fn() -> Answer<Health>,
    timeout: Duration,
    critical: bool,
    level: Level,
    describe: fn(&mut Entry),
}

impl HealthCheck {
    /// A critical check of that name.
    #[must_use]
    pub const fn new(
        name: &'static str,
        module: &'static str,
        file: &'static str,
        line: u32,
        run: fn() -> Answer<Health>,
    ) -> Self {
        let place = Place { module, file, line };
        Self { name, place, run, timeout: TIMEOUT, critical: true, level: Level::Debug, describe: |_| {} }
    }

    /// How long it may take, in milliseconds.
    #[must_use]
    pub const fn timeout_millis(mut self, millis: u64) -> Self {
        self.timeout = Duration::from_millis(millis);
        self
    }

    /// Whether its failure makes the whole unhealthy, or degraded only.
    #[must_use]
    pub const fn critical(mut self, critical: bool) -> Self {
        self.critical = critical;
        self
    }

    /// Level of its line when it is healthy.
    #[must_use]
    pub const fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// What else its line says.
    #[must_use]
    pub const fn describe(mut self, describe: fn(&mut Entry)) -> Self {
        self.describe = describe;
        self
    }

    /// The answer of a plain function.
    pub fn ready(value: impl IntoHealth) -> Answer<Health> {
        Answer::Ready(value.into_health())
    }

    /// The answer of an async function.
    pub fn pending<F: Future<Output: IntoHealth> + 'static>(future: F) -> Answer<Health> {
        Answer::Pending(Box::pin(async { future.await.into_health() }))
    }

    /// Its name.
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Where the function stands.
    pub const fn place(&self) -> Place {
        self.place
    }
}

/// Runs every health check of the program: at once, each isolated, each with its time limit.
///
/// Give it a time limit or a selection first, then [`wait`](HealthRun::wait) for it. Each result is logged and measured
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
    HealthRun { timeout: None }
}

/// A run of health checks, about to begin.
#[derive(Clone, Debug)]
#[must_use = "checks run when they are waited for"]
pub struct HealthRun {
    timeout: Option<Duration>,
}

impl HealthRun {
    /// No check may take longer than this, whatever it says of itself.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Runs the checks on threads of their own and blocks this one until all have ended or timed out.
    #[track_caller]
    pub fn wait(self) -> HealthReport {
        if global::pipeline().is_some_and(|pipeline| !pipeline.config().health_check_enabled) {
            return HealthReport { status: Status::Unknown, checks: Vec::new() };
        }
        let caller = Location::caller();
        let mut checks: Vec<&'static HealthCheck> = HEALTH_CHECKS.iter().collect();
        checks.sort_by_key(|check| (check.name, check.place.file, check.place.line));
        let timeout = |check: &HealthCheck| self.timeout.map_or(check.timeout, |most| most.min(check.timeout));
        let jobs = checks.iter().map(|check| Job { run: check.run, timeout: timeout(check) }).collect();
        let results = checks.iter().zip(run_all(jobs)).map(|(check, (ending, took))| {
            let result = HealthResult::new(check, ending, took, timeout(check));
            result.report(check);
            result
        });
        let report = HealthReport::new(results.collect());
        if report.status == Status::Unknown {
            global::emit(Topic::Log, Level::Warning, global::caller(caller), |_| {
                (Fact::Log { message: "no health check is registered".into() }, Details::default())
            });
        }
        report
    }
}

/// What all health checks together say.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthReport {
    /// A critical check that failed makes it unhealthy, any other that failed degraded; unknown when none ran.
    pub status: Status,
    /// Each check's result, by name.
    pub checks: Vec<HealthResult>,
}

impl HealthReport {
    fn new(checks: Vec<HealthResult>) -> Self {
        let worst = checks.iter().map(|check| match check.status {
            Status::Unhealthy if !check.critical => Status::Degraded,
            status => status,
        });
        Self { status: worst.max().unwrap_or(Status::Unknown), checks }
    }
}

/// What one health check said.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HealthResult {
    /// The check's name.
    pub name: &'static str,
    /// What it found.
    pub status: Status,
    /// Whether its failure makes the whole unhealthy.
    pub critical: bool,
    /// How long it took, in seconds.
    pub duration_seconds: f64,
    /// What it says for itself, redacted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

impl HealthResult {
    fn new(check: &HealthCheck, ending: Ending<Health>, took: Duration, timeout: Duration) -> Self {
        let Health { status, message } = match ending {
            Ending::Done(health) => health,
            Ending::Panicked(words) => Health::unhealthy(format!("panicked: {words}")),
            Ending::TimedOut => Health::unhealthy(format!("no answer within {}", humantime::format_duration(timeout))),
        };
        let message = message.map(global::redact);
        let duration_seconds = took.as_secs_f64();
        Self { name: check.name, status, critical: check.critical, duration_seconds, message }
    }

    fn report(&self, check: &HealthCheck) {
        let level = match self.status {
            Status::Healthy | Status::Unknown => check.level,
            Status::Degraded => Level::Warning,
            Status::Unhealthy => {
                if check.critical {
                    Level::Error
                } else {
                    Level::Warning
                }
            }
        };
        global::emit(Topic::Fact, level, global::source(check.place), |_| {
            let mut entry = Entry::default();
            entry.describe(check.describe);
            let fact = Fact::HealthChecked {
                check: self.name.into(),
                status: self.status.as_str(),
                score: self.status.score(),
                duration: Duration::from_secs_f64(self.duration_seconds),
                message: self.message.as_deref().map(Into::into),
            };
            (fact, entry.details())
        });
    }
}
