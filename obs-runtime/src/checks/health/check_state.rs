//! What is known of each health check from its earlier runs: its last result, and how often it failed in a row.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::checks::health::check::HealthCheck;
use crate::checks::health::report::HealthResult;
use crate::checks::health::verdict::{Health, Status};
use crate::checks::runner::ending::Ended;
use crate::checks::runner::listed::Listed;
use crate::checks::runner::single_flight::Flights;
use crate::context::current::Context;

/// What is known of all health checks. A test's capture has one of its own.
#[derive(Debug, Default)]
pub struct Board {
    pub(super) flights: Arc<Flights<Health>>,
    memories: Mutex<HashMap<usize, Memory>>,
}

#[derive(Debug, Default)]
struct Memory {
    /// The call that was judged last.
    flight: u64,
    failures: u32,
    was_well: bool,
    last: Option<(Instant, HealthResult)>,
}

impl Board {
    /// The board of this moment.
    pub fn current() -> Arc<Self> {
        static OF_THE_PROGRAM: LazyLock<Arc<Board>> = LazyLock::new(Arc::default);
        Context::current().carried().unwrap_or_else(|| Arc::clone(&OF_THE_PROGRAM))
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<usize, Memory>> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Forgets checks that are not registered any more.
    pub fn keep(&self, checks: &[Listed<HealthCheck>]) {
        let mut memories = self.memories();
        if memories.len() > checks.len() {
            memories.retain(|identity, _| checks.iter().any(|check| check.identity() == *identity));
        }
    }

    /// The last result, if it is no older than that.
    pub fn recent(&self, identity: usize, most: Duration) -> Option<HealthResult> {
        let memories = self.memories();
        let (at, result) = memories.get(&identity)?.last.as_ref()?;
        let age = at.elapsed();
        (age < most).then(|| HealthResult { age_seconds: Some(age.as_secs_f64()), ..result.clone() })
    }

    /// What the end of a check means, and whether it is told for the first time: runs that shared a call share its result.
    pub fn judge(&self, identity: usize, check: &HealthCheck, ended: Ended<Health>) -> (HealthResult, bool) {
        let mut memories = self.memories();
        let memory = memories.entry(identity).or_default();
        if let Some((_, result)) = memory.last.as_ref().filter(|_| ended.flight != 0 && memory.flight == ended.flight) {
            return (result.clone(), false);
        }
        let (flight, took) = (ended.flight, ended.took);
        let mut health = ended.value().unwrap_or_else(Health::unhealthy);
        if health.status == Status::Unhealthy {
            memory.failures = memory.failures.saturating_add(1);
            if memory.was_well && memory.failures < check.failures {
                let said = health.message.map(|message| format!(": {message}")).unwrap_or_default();
                health.message = Some(format!("failure {} of {} in a row{said}", memory.failures, check.failures));
                health.status = Status::Degraded;
            } else {
                memory.was_well = false;
            }
        } else {
            memory.failures = 0;
            memory.was_well = true;
        }
        let result = HealthResult::new(check, health, took);
        memory.flight = flight;
        memory.last = Some((Instant::now(), result.clone()));
        (result, true)
    }
}
