//! One run of a command, from its start event to its end event.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use uuid::Uuid;

use crate::base::clock::Start;
use crate::base::schedule::Schedule;
use crate::base::trace_context::TraceContext;
use crate::events::active_span::{Active, ActiveSpan};
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
    begun: Start,
    outer: Option<Arc<CommandRun>>,
    schedule: Option<Schedule>,
    errors: AtomicU64,
    spans: Option<Arc<SpanBuffer>>,
    /// The trace, if it is not recorded and tracers of the program are to know.
    not_recorded: Option<TraceContext>,
}

#[cfg_attr(not(feature = "sentry"), expect(dead_code, reason = "others do not watch runs"))]
impl CommandRun {
    /// A run that begins, within another one or not. One within another is recorded with that one.
    #[must_use]
    pub fn begin(outer: Option<Arc<Self>>, schedule: Option<Schedule>, active: &Active) -> Self {
        let (spans, not_recorded) = match (&outer, active) {
            (Some(outer), _) => (outer.spans.clone(), outer.not_recorded),
            (None, Active::Span(span)) => (Some(Arc::clone(&span.buffer)), None),
            (None, Active::NotRecorded(trace)) => (None, *trace),
            (None, Active::Nothing | Active::Boundary { .. }) => (None, None),
        };
        let errors = AtomicU64::new(0);
        Self { id: Uuid::now_v7(), begun: Start::now(), outer, schedule, errors, spans, not_recorded }
    }

    /// What is active in it.
    #[must_use]
    pub fn active(&self) -> Active {
        match &self.spans {
            Some(buffer) => Active::Span(ActiveSpan { id: buffer.trace().span(), buffer: Arc::clone(buffer) }),
            None => Active::NotRecorded(self.not_recorded),
        }
    }

    /// What tells it from all others.
    pub const fn id(&self) -> Uuid {
        self.id
    }

    /// When it began.
    pub const fn begun(&self) -> Start {
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
