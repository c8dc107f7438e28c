//! One run of a command: what ties its beginning to its end for those who watch runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::SystemTime;

use uuid::Uuid;

use crate::base::schedule::Schedule;
use crate::base::span_buffer::Recording;

/// A run of a command.
#[derive(Debug)]
pub struct Run {
    id: Uuid,
    begun: SystemTime,
    outer: Option<Arc<Run>>,
    schedule: Option<Schedule>,
    errors: AtomicU64,
    recording: Option<Arc<Recording>>,
}

#[cfg_attr(not(feature = "sentry"), expect(dead_code, reason = "others do not watch runs"))]
impl Run {
    /// A run that begins, within another one or not. One within another is recorded with that one.
    #[must_use]
    pub fn begin(outer: Option<Arc<Self>>, schedule: Option<Schedule>, recording: Option<Recording>) -> Self {
        let of_outer = outer.as_ref().and_then(|outer| outer.recording.clone());
        let recording = of_outer.or_else(|| recording.map(Arc::new));
        Self { id: Uuid::now_v7(), begun: SystemTime::now(), outer, schedule, errors: AtomicU64::new(0), recording }
    }

    /// What tells it from all others.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// When it began.
    pub const fn begun(&self) -> SystemTime {
        self.begun
    }

    /// What is recorded of it, if it was sampled.
    pub const fn recording(&self) -> Option<&Arc<Recording>> {
        self.recording.as_ref()
    }

    /// Whether no command encloses it.
    pub const fn is_outermost(&self) -> bool {
        self.outer.is_none()
    }

    /// When it is to run.
    pub const fn schedule(&self) -> Option<Schedule> {
        self.schedule
    }

    /// How many errors were captured in it so far, and in runs within it.
    pub fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// An error was captured in it.
    pub fn count_error(&self) {
        std::iter::successors(Some(self), |run| run.outer.as_deref()).for_each(|run| {
            run.errors.fetch_add(1, Ordering::Relaxed);
        });
    }
}
