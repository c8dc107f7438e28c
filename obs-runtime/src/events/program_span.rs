//! Spans that a tracer of the program exports instead of obs.

use std::sync::Arc;

use opentelemetry::global::{self, BoxedTracer};
use opentelemetry::trace::{Link, SpanBuilder, SpanKind, TraceContextExt as _, TraceState as OtelState, Tracer as _};
use opentelemetry::{Context, InstrumentationScope};

use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::events::otel_context;
use crate::events::panics::caught;
use crate::events::span_beginning::Beginning;

/// A span that a tracer of the program has begun.
#[derive(Clone, Debug)]
pub struct ProgramSpan {
    context: Context,
    /// The tracer for spans inside; none for a span that the program has begun itself.
    tracer: Option<Arc<BoxedTracer>>,
}

impl ProgramSpan {
    /// A span that the program has begun, by its context.
    pub const fn of_program(context: Context) -> Self {
        Self { context, tracer: None }
    }

    /// Begins the first span of this process in a trace by the program's tracer provider, if the program has set one.
    pub fn root(
        beginning: &Beginning,
        caller: Option<TraceContext>,
        state: Option<&TraceState>,
        link: Option<TraceContext>,
    ) -> Option<Self> {
        let tracer = Arc::new(global::tracer_with_scope(
            InstrumentationScope::builder("obs-runtime").with_version(env!("CARGO_PKG_VERSION")).build(),
        ));
        let around = if link.is_some() { Context::new() } else { otel_context::with_current(Context::clone)? };
        let around = match caller {
            Some(caller) if !around.has_active_span() => {
                let state = state.and_then(|state| state.as_str().parse().ok()).unwrap_or(OtelState::NONE);
                around.with_remote_span_context(otel_context::span_context(&caller, state, true))
            }
            _ => around,
        };
        let begun = Self::begin(tracer, beginning, link, &around)?;
        otel_context::note_tracer();
        Some(begun)
    }

    /// Begins a span inside of this one, or of the program's span that is current inside of it.
    pub fn child(&self, beginning: &Beginning) -> Option<Self> {
        let tracer = Arc::clone(self.tracer.as_ref()?);
        let is_of_same_trace = |context: &Context| {
            context.span().span_context().trace_id() == self.context.span().span_context().trace_id()
        };
        let current =
            otel_context::with_current(|current| is_of_same_trace(current).then(|| current.clone())).flatten();
        Self::begin(tracer, beginning, None, current.as_ref().unwrap_or(&self.context))
    }

    fn begin(
        tracer: Arc<BoxedTracer>,
        beginning: &Beginning,
        link: Option<TraceContext>,
        around: &Context,
    ) -> Option<Self> {
        let links = link.map(|link| Link::with_context(otel_context::span_context(&link, OtelState::NONE, false)));
        let kind = match beginning.op {
            "db.query" => SpanKind::Client,
            "http.server" => SpanKind::Server,
            _ => SpanKind::Internal,
        };
        let builder = SpanBuilder::from_name(beginning.name.clone())
            .with_kind(kind)
            .with_start_time(beginning.begun.at())
            .with_links(links.into_iter().collect());
        // A processor of the program runs.
        let span = caught(|| tracer.build_with_context(builder, around)).ok()?;
        let parent = around.span().span_context().span_id();
        let context = around.with_span(span);
        let of_span = context.span().span_context().clone();
        // Without a provider, spans have no ids, or those of their parent.
        let has_begun = of_span.is_valid() && of_span.span_id() != parent;
        has_begun.then_some(Self { context, tracer: Some(tracer) })
    }

    /// Its context.
    pub const fn context(&self) -> &Context {
        &self.context
    }

    /// Its trace and its id.
    pub fn trace(&self) -> Option<TraceContext> {
        otel_context::trace_of(&self.context)
    }

    /// Whether it is recorded.
    pub fn is_recording(&self) -> bool {
        self.context.span().is_recording()
    }
}
