//! The span that is active on a thread, and where calls begin a trace that no command does.

use std::cell::RefCell;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::clock::Start;
use crate::base::trace_context::TraceContext;
#[cfg(feature = "otlp")]
use crate::events::otel_context;
use crate::events::program_trace;
use crate::events::span_beginning::{Beginning, fresh_id};
use crate::events::span_buffer::{self, Recording, SpanBuffer};

thread_local! {
    static ACTIVE: RefCell<Active> = const { RefCell::new(Active::Nothing) };
}

/// Which calls outside of commands begin a trace.
static ROOTS: AtomicU8 = AtomicU8::new(Roots::Never as u8);

/// Has calls look for a trace while they may begin one.
static ALWAYS: Mutex<Option<Recording>> = Mutex::new(None);

/// Which calls outside of commands begin a trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Roots {
    /// None.
    Never,
    /// Those that handle a request, and those in the context of a request that another process has sent.
    Remote,
    /// Those that nothing encloses.
    Always,
}

/// Which calls outside of commands begin a trace.
pub fn roots() -> Roots {
    match ROOTS.load(Ordering::Relaxed) {
        0 => Roots::Never,
        1 => Roots::Remote,
        _ => Roots::Always,
    }
}

/// Has at least these calls outside of commands begin a trace, if an exporter wants it.
#[cfg(feature = "sentry")]
pub fn raise_roots(least: Roots) {
    if roots() < least {
        set_roots(least);
    }
}

/// Sets which calls outside of commands begin a trace.
#[cfg_attr(not(any(feature = "otlp", feature = "sentry")), expect(dead_code, reason = "others take no traces"))]
pub fn set_roots(roots: Roots) {
    let mut always = ALWAYS.lock().unwrap_or_else(PoisonError::into_inner);
    *always = (roots == Roots::Always).then(Recording::begin);
    ROOTS.store(roots as u8, Ordering::Relaxed);
}

/// What is active on a thread.
#[derive(Clone, Debug, Default)]
pub enum Active {
    /// Nothing.
    #[default]
    Nothing,
    /// A scope of the program whose next call may begin a trace.
    Boundary {
        /// Has calls look for it while it lives.
        _recording: Arc<Recording>,
        /// Whether that call handles a request.
        is_request: bool,
    },
    /// A trace that is not recorded. Tracers of the program follow its decision, if it is given.
    NotRecorded(
        #[cfg_attr(not(feature = "otlp"), allow(dead_code, reason = "for tracers of the program"))]
        Option<TraceContext>,
    ),
    /// A span.
    Span(ActiveSpan),
}

/// A span that has not ended.
#[derive(Clone, Debug)]
pub struct ActiveSpan {
    /// The spans of its trace.
    pub buffer: Arc<SpanBuffer>,
    /// Its id.
    pub id: u64,
}

impl ActiveSpan {
    /// The trace and the span.
    pub fn trace(&self) -> TraceContext {
        self.buffer.trace().with_span(self.id)
    }

    /// Whether it is the first span of its trace.
    fn is_root(&self) -> bool {
        self.id == self.buffer.trace().span()
    }

    /// The trace and the span that is exported for it.
    #[cfg(feature = "otlp")]
    fn exported(&self) -> TraceContext {
        let of_program = self.buffer.program().context(self.id);
        of_program.and_then(|context| otel_context::trace_of(&context)).unwrap_or_else(|| self.trace())
    }

    /// Makes it the current span of `opentelemetry` on this thread.
    #[cfg(feature = "otlp")]
    fn attach(&self) {
        match self.buffer.program().context(self.id) {
            Some(context) => otel_context::attach(self.id, |_| context),
            None => otel_context::attach_span(&self.trace()),
        }
    }

    /// The same if a tracer of the program was seen, or if it is the first span of its trace. Otherwise [`attach_active`] does it when a span or
    /// an event of `tracing` is about to begin.
    #[cfg(feature = "otlp")]
    fn attach_for_tracers(&self) -> u64 {
        if otel_context::tracer_is_seen() || self.is_root() {
            self.attach();
        }
        self.id
    }

    /// The span in which another one begins here: that of the program's tracer that is current inside of this one, or this one.
    #[cfg(feature = "otlp")]
    fn innermost(&self) -> u64 {
        let Some(current) = otel_context::of_program() else { return self.id };
        let id = current.span();
        if id == self.id || !current.is_of_same_trace(&self.buffer.trace()) {
            return self.id;
        }
        self.buffer.program().note_id(id);
        id
    }

    #[cfg(not(feature = "otlp"))]
    const fn innermost(&self) -> u64 {
        self.id
    }
}

impl Active {
    /// A scope whose next call may begin a trace.
    pub fn boundary() -> Self {
        Self::Boundary { _recording: Arc::new(Recording::begin()), is_request: false }
    }

    /// The same for a call that handles a request, unless nothing records traces or the request is part of one.
    pub fn request_boundary() -> Option<Self> {
        let may_begin = roots() != Roots::Never && matches!(current(), Self::Nothing | Self::Boundary { .. });
        may_begin.then(|| Self::Boundary { _recording: Arc::new(Recording::begin()), is_request: true })
    }

    /// Makes this active until the guard is dropped, unless it is nothing.
    #[must_use = "it is left when the guard is dropped"]
    pub fn inherit(&self) -> Option<SpanGuard> {
        (!matches!(self, Self::Nothing)).then(|| enter(self.clone()))
    }
}

/// What is active here.
#[must_use]
pub fn current() -> Active {
    if span_buffer::any() {
        ACTIVE.try_with(|active| active.borrow().clone()).unwrap_or_default()
    } else {
        Active::Nothing
    }
}

/// The span that is active here.
#[must_use]
pub fn current_span() -> Option<ActiveSpan> {
    match current() {
        Active::Span(span) => Some(span),
        _ => None,
    }
}

/// The trace and the span that is active here: that of another tracer in the program, or else that of obs.
#[must_use]
pub fn trace() -> Option<TraceContext> {
    let trace = program_trace::trace();
    #[cfg(feature = "otlp")]
    let trace = trace.or_else(otel_context::of_program);
    trace.or_else(|| match current() {
        #[cfg(feature = "otlp")]
        Active::Span(span) => Some(span.exported()),
        #[cfg(not(feature = "otlp"))]
        Active::Span(span) => Some(span.trace()),
        #[cfg(feature = "otlp")]
        Active::NotRecorded(trace) => trace,
        _ => None,
    })
}

/// Makes the span that is active here the current one of `opentelemetry`, because a span or an event of `tracing` is about to begin, which a
/// layer of the program may export.
#[cfg(feature = "otlp")]
pub fn attach_active() {
    if otel_context::tracer_is_seen() {
        return;
    }
    let Some(span) = current_span() else { return };
    if !otel_context::is_innermost(span.id) && otel_context::of_program().is_none() {
        span.attach();
    }
}

/// Makes this active until the guard is dropped.
#[must_use = "it is left when the guard is dropped"]
pub fn enter(active: Active) -> SpanGuard {
    #[cfg(feature = "otlp")]
    let attached = match &active {
        Active::Span(span) => span.attach_for_tracers(),
        Active::NotRecorded(Some(trace)) => {
            otel_context::attach_span(trace);
            trace.span()
        }
        _ => 0,
    };
    SpanGuard {
        previous: ACTIVE.try_with(|current| current.replace(active)).unwrap_or_default(),
        #[cfg(feature = "otlp")]
        attached,
    }
}

/// Makes what was active before active again when it is dropped.
#[derive(Debug)]
pub struct SpanGuard {
    previous: Active,
    /// The span whose context may be attached for tracers of the program, or 0.
    #[cfg(feature = "otlp")]
    attached: u64,
}

impl SpanGuard {
    /// Leaves active what is.
    pub fn dismiss(mut self) {
        self.previous = ACTIVE.try_with(|active| active.borrow().clone()).unwrap_or_default();
    }
}

impl Drop for SpanGuard {
    fn drop(&mut self) {
        #[cfg(feature = "otlp")]
        if self.attached != 0 {
            otel_context::detach(self.attached);
        }
        let previous = std::mem::take(&mut self.previous);
        // Dropped after the borrow has ended.
        let _left = ACTIVE.try_with(|current| current.replace(previous));
    }
}

/// A span that has begun.
#[derive(Clone, Debug)]
pub struct OpenSpan {
    /// The span.
    pub active: ActiveSpan,
    /// The span in which it began.
    pub parent: u64,
    /// When it began.
    pub begun: Start,
}

impl OpenSpan {
    /// A span inside of another one that is active here.
    #[must_use]
    pub fn child(of: ActiveSpan, beginning: &Beginning) -> Self {
        let parent = of.innermost();
        #[cfg(feature = "otlp")]
        let id = of.buffer.program().begin(of.id, beginning).unwrap_or_else(fresh_id);
        #[cfg(not(feature = "otlp"))]
        let id = fresh_id();
        Self { parent, active: ActiveSpan { buffer: of.buffer, id }, begun: beginning.begun }
    }

    /// A span of `tracing` inside of another one, which is active here or not.
    #[cfg(any(feature = "otlp", feature = "sentry"))]
    #[must_use]
    pub fn of_tracing(parent: ActiveSpan, is_here: bool) -> Self {
        let of = if is_here { parent.innermost() } else { parent.id };
        Self { parent: of, active: ActiveSpan { buffer: parent.buffer, id: fresh_id() }, begun: Start::now() }
    }

    /// The first span of a trace.
    #[must_use]
    pub fn root(buffer: Arc<SpanBuffer>, begun: Start) -> Self {
        let id = buffer.trace().span();
        Self { parent: 0, active: ActiveSpan { buffer, id }, begun }
    }

    /// Whether it is the first span of its trace.
    pub fn is_root(&self) -> bool {
        self.active.is_root()
    }
}
