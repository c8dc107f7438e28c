//! Spans of `tracing` that a tracer of the program exports: the layer of `tracing-opentelemetry`, or the program's tracer provider.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::Dispatch;
use tracing_core::span::Id;

use crate::events::active_span::OpenSpan;
use crate::events::otel_context;
use crate::events::panics::caught;
use crate::events::span_beginning::Beginning;

/// Whether spans were seen that the layer exports.
static LAYER_IS_SEEN: AtomicBool = AtomicBool::new(false);

/// When it is asked who exports a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// When it is entered for the first time.
    Entered,
    /// When it ends, and was never entered. What the layer knows of it may be gone then: it counts as the layer's if others were.
    Ended,
}

/// What becomes of a recorded span.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It stays as it is.
    Stays,
    /// It gets another id.
    Becomes(u64),
    /// The program has moved it to another trace, for example by `set_parent`. Only the layer exports it.
    IsMoved,
}

/// The context of a span, if the layer exports it.
fn of_layer(id: &Id) -> Option<opentelemetry::Context> {
    let of = |dispatch: &Dispatch| caught(|| tracing_opentelemetry::get_otel_context(id, dispatch)).ok().flatten();
    let context = tracing_core::dispatcher::get_default(of);
    if context.is_some() {
        LAYER_IS_SEEN.store(true, Ordering::Relaxed);
        otel_context::note_tracer();
    }
    context
}

/// Whether the layer exports a span.
pub fn is_of_layer(id: &Id) -> bool {
    of_layer(id).is_some()
}

/// Decides who exports a recorded span: the layer, the program's tracer provider, or obs.
pub fn decide(id: &Id, open: &OpenSpan, name: &'static str, when: When) -> Decision {
    let program = open.active.buffer.program();
    let beginning = Beginning { name: name.into(), op: "span", attribute: "tracing", begun: open.begun };
    match of_layer(id).and_then(|context| Some((otel_context::trace_of(&context)?, context))) {
        Some((trace, _)) if !trace.is_of_same_trace(&open.active.buffer.trace()) => Decision::IsMoved,
        Some((trace, context)) => {
            program.note(trace.span(), context, beginning);
            Decision::Becomes(trace.span())
        }
        None if when == When::Ended && LAYER_IS_SEEN.load(Ordering::Relaxed) => {
            program.note_id(open.active.id);
            Decision::Stays
        }
        None => program.begin(open.parent, &beginning).map_or(Decision::Stays, Decision::Becomes),
    }
}
