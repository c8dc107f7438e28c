//! The current context of the `opentelemetry` crate, by which obs and a tracer of the program tell each other what is active.

use std::cell::RefCell;
use std::sync::atomic::{AtomicBool, Ordering};

use opentelemetry::Context;
use opentelemetry::trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState};

use crate::base::trace_context::TraceContext;
use crate::events::panics::{caught, quietly};

thread_local! {
    static ATTACHED: Attached = Attached::new();
}

/// Whether a tracer of the program was seen. Every span of obs is attached from then on, which takes some 100 ns.
static TRACER_IS_SEEN: AtomicBool = AtomicBool::new(false);

/// A context that is attached on a thread.
struct Attachment {
    /// The span of obs.
    id: u64,
    /// The span of the context: that one, or the one that stands for it.
    span: Option<u64>,
    guard: opentelemetry::ContextGuard,
}

/// The contexts of spans of obs that are attached on a thread, innermost last.
struct Attached(RefCell<Vec<Attachment>>);

impl Attached {
    /// Initializes the context of the thread first, so that the thread destroys it later than this.
    fn new() -> Self {
        let _ = caught(|| Context::map_current(|_| ()));
        Self(RefCell::default())
    }
}

/// The span of the context, if it is one.
pub fn trace_of(context: &Context) -> Option<TraceContext> {
    if !context.has_active_span() {
        return None;
    }
    let span = context.span();
    let span = span.span_context();
    TraceContext::of_ids(span.trace_id().to_bytes(), span.span_id().to_bytes())
        .map(|trace| trace.with_sampled(span.is_sampled()))
}

/// Reads the current context, unless the thread is ending.
pub fn with_current<R>(read: impl FnOnce(&Context) -> R) -> Option<R> {
    ATTACHED.try_with(|_| Context::map_current(read)).ok()
}

/// Notes that a tracer of the program was seen.
pub fn note_tracer() {
    TRACER_IS_SEEN.store(true, Ordering::Relaxed);
}

/// Whether a tracer of the program was seen.
pub fn tracer_is_seen() -> bool {
    TRACER_IS_SEEN.load(Ordering::Relaxed)
}

/// The span that the program has made current on this thread, inside of those of obs.
pub fn of_program() -> Option<TraceContext> {
    let current = |attached: &Attached| {
        let innermost = attached.0.borrow().last().and_then(|innermost| innermost.span);
        Context::map_current(trace_of).filter(|current| Some(current.span()) != innermost)
    };
    let current = ATTACHED.try_with(current).ok().flatten();
    if current.is_some() {
        note_tracer();
    }
    current
}

/// Whether the context of this span is the innermost one on this thread that is attached for obs.
pub fn is_innermost(id: u64) -> bool {
    let is = |attached: &Attached| attached.0.borrow().last().is_some_and(|innermost| innermost.id == id);
    ATTACHED.try_with(is).unwrap_or_default()
}

/// A span as `opentelemetry` names it.
pub fn span_context(trace: &TraceContext, state: TraceState, is_remote: bool) -> SpanContext {
    let (trace_id, span_id) = (TraceId::from_bytes(trace.trace_id_bytes()), SpanId::from_bytes(trace.span_id_bytes()));
    SpanContext::new(trace_id, span_id, TraceFlags::new(trace.flags()), is_remote, state)
}

/// Makes a span that obs exports the current one of this thread, until [`detach`] is called with its id.
pub fn attach_span(trace: &TraceContext) {
    attach(trace.span(), |current| current.with_remote_span_context(span_context(trace, TraceState::NONE, false)));
}

/// Makes a context the current one of this thread, until [`detach`] is called with the same id. Where `opentelemetry` does not let the
/// context be changed, it stays: `attach` panics while the thread reads its context, as it does when a tracer calls span processors.
pub fn attach(id: u64, context: impl FnOnce(&Context) -> Context) {
    let _ = ATTACHED.try_with(|attached| {
        let attach = || {
            let context = Context::map_current(context);
            let span = trace_of(&context).map(|of| of.span());
            Attachment { id, span, guard: context.attach() }
        };
        if let Ok(attachment) = quietly(attach) {
            attached.0.borrow_mut().push(attachment);
        }
    });
}

/// Makes the context current again that was before.
pub fn detach(id: u64) {
    let left = ATTACHED.try_with(|attached| {
        let mut attached = attached.0.borrow_mut();
        let index = attached.iter().rposition(|known| known.id == id)?;
        Some(attached.remove(index).guard)
    });
    // Dropped after the borrow has ended.
    let _ = caught(|| drop(left));
}
