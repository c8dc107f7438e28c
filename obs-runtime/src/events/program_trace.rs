//! The trace of another tracer in the program, such as that of `tracing-opentelemetry`, which counts before the traces of obs.

use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use arc_swap::ArcSwapOption;

use crate::base::trace_context::TraceContext;
use crate::events::panics::caught;

/// A span of another tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SpanContext {
    /// The id of the trace.
    pub trace_id: [u8; 16],
    /// The id of the span.
    pub span_id: [u8; 8],
    /// Whether the trace is sampled.
    pub is_sampled: bool,
}

type Current = dyn Fn() -> Option<SpanContext> + Send + Sync;

/// What tells the current span of another tracer, if anything does.
#[derive(Clone, Default)]
pub struct ProgramTrace(Option<Arc<Box<Current>>>);

impl ProgramTrace {
    /// What the program's function tells.
    pub fn new(current: impl Fn() -> Option<SpanContext> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Box::new(current))))
    }
}

impl PartialEq for ProgramTrace {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}

impl fmt::Debug for ProgramTrace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("ProgramTrace").field(&self.0.is_some()).finish()
    }
}

/// Whether there is one, which is read first.
static IS_SET: AtomicBool = AtomicBool::new(false);

static CURRENT: ArcSwapOption<Box<Current>> = ArcSwapOption::const_empty();

thread_local! {
    static IS_ASKED: Cell<bool> = const { Cell::new(false) };
}

/// Sets what tells the current span.
pub fn set(ProgramTrace(current): ProgramTrace) {
    IS_SET.store(current.is_some(), Ordering::Relaxed);
    CURRENT.store(current);
}

/// The trace and the span of the other tracer that is current here.
pub fn trace() -> Option<TraceContext> {
    if !IS_SET.load(Ordering::Relaxed) {
        return None;
    }
    // What the function logs has no trace.
    if IS_ASKED.try_with(|asked| asked.replace(true)) != Ok(false) {
        return None;
    }
    let current = CURRENT.load();
    let span = current.as_ref().and_then(|current| caught(|| current()).ok().flatten());
    let _ = IS_ASKED.try_with(|asked| asked.set(false));
    let SpanContext { trace_id, span_id, is_sampled } = span?;
    TraceContext::of_ids(trace_id, span_id).map(|trace| trace.with_sampled(is_sampled))
}
