//! One run of a command, from its start event to its end event.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use uuid::Uuid;

use crate::base::clock;
use crate::base::schedule::Schedule;
use crate::events::span_buffer::SpanBuffer;

/// The name of the first command of this process that no other one encloses.
static FIRST: OnceLock<&'static str> = OnceLock::new();

/// Notes that a command starts that no other one encloses.
pub fn note_outermost(name: &'static str) {
    FIRST.get_or_init(|| name);
}

/// The name of the first command of this process that no other one encloses.
#[cfg_attr(not(feature = "prometheus"), expect(dead_code, reason = "names the group of a Pushgateway"))]
pub fn first_outermost() -> Option<&'static str> {
    FIRST.get().copied()
}

/// A run of a command.
#[derive(Debug)]
pub struct CommandRun {
    id: Uuid,
    begun: SystemTime,
    outer: Option<Arc<CommandRun>>,
    schedule: Option<Schedule>,
    errors: AtomicU64,
    spans: Option<Arc<SpanBuffer>>,
}

#[cfg_attr(not(feature = "sentry"), expect(dead_code, reason = "others do not watch runs"))]
impl CommandRun {
    /// A run that begins, within another one or not. One within another is recorded with that one.
    #[must_use]
    pub fn begin(outer: Option<Arc<Self>>, schedule: Option<Schedule>, spans: Option<Arc<SpanBuffer>>) -> Self {
        let of_outer = outer.as_ref().and_then(|outer| outer.spans.clone());
        let spans = of_outer.or(spans);
        Self { id: Uuid::now_v7(), begun: clock::wall(), outer, schedule, errors: AtomicU64::new(0), spans }
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
    pub const fn spans(&self) -> Option<&Arc<SpanBuffer>> {
        self.spans.as_ref()
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
