//! What is remembered of health checks between runs: the last result, and the number of failures in a row.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::checks::health::check::HealthCheck;
use crate::checks::health::report::HealthResult;
use crate::checks::health::status::{Health, Status};
use crate::checks::runner::outcome::FinishedCall;
use crate::checks::runner::registry::CheckRef;
use crate::checks::runner::single_flight::SingleFlight;
use crate::context::current::Context;

/// The state of all health checks. Each test capture has its own.
#[derive(Debug, Default)]
pub struct CheckState {
    pub(super) calls: Arc<SingleFlight<Health>>,
    histories: Mutex<HashMap<usize, History>>,
}

#[derive(Debug, Default)]
struct History {
    /// The call that was judged last.
    call: u64,
    failures: u32,
    was_healthy: bool,
    last: Option<(Instant, HealthResult)>,
}

impl CheckState {
    /// The state of the current context.
    pub fn current() -> Arc<Self> {
        static GLOBAL: LazyLock<Arc<CheckState>> = LazyLock::new(Arc::default);
        Context::current().extension().unwrap_or_else(|| Arc::clone(&GLOBAL))
    }

    fn histories(&self) -> MutexGuard<'_, HashMap<usize, History>> {
        self.histories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the history of checks that are no longer registered.
    pub fn retain(&self, checks: &[CheckRef<HealthCheck>]) {
        let mut histories = self.histories();
        if histories.len() > checks.len() {
            histories.retain(|identity, _| checks.iter().any(|check| check.identity() == *identity));
        }
    }

    /// The last result, if it is younger than `max_age`.
    pub fn recent(&self, identity: usize, max_age: Duration) -> Option<HealthResult> {
        let histories = self.histories();
        let (at, result) = histories.get(&identity)?.last.as_ref()?;
        let age = clock::monotonic().saturating_duration_since(*at);
        (age < max_age).then(|| HealthResult { age_seconds: Some(age.as_secs_f64()), ..result.clone() })
    }

    /// The result of a call, and whether it is new: runs that shared the call share its result, and one of them reports it.
    pub fn judge(&self, identity: usize, check: &HealthCheck, finished: FinishedCall<Health>) -> (HealthResult, bool) {
        let mut histories = self.histories();
        let history = histories.entry(identity).or_default();
        let shares_call = finished.call != 0 && history.call == finished.call;
        if let Some((_, result)) = history.last.as_ref().filter(|_| shares_call) {
            return (result.clone(), false);
        }
        let (call, duration) = (finished.call, finished.duration);
        let mut health = finished.value().unwrap_or_else(Health::unhealthy);
        if health.status == Status::Unhealthy {
            history.failures = history.failures.saturating_add(1);
            if history.was_healthy && history.failures < check.failures {
                let message = health.message.map(|message| format!(": {message}")).unwrap_or_default();
                health.message = Some(format!("failure {} of {} in a row{message}", history.failures, check.failures));
                health.status = Status::Degraded;
            } else {
                history.was_healthy = false;
            }
        } else {
            history.failures = 0;
            history.was_healthy = true;
        }
        let result = HealthResult::new(check, health, duration);
        history.call = call;
        history.last = Some((clock::monotonic(), result.clone()));
        (result, true)
    }
}
