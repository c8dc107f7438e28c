//! Records spans of `tracing` as spans of the traces that they are part of, and events as events of these spans.

use std::cell::RefCell;
use std::fmt;

#[cfg(feature = "otlp")]
use tracing_core::Event;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{LevelFilter, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;
#[cfg(feature = "otlp")]
use tracing_subscriber::registry::SpanRef;

use crate::base::level::Level;
use crate::events::active_span::{self, Active, ActiveSpan, OpenSpan, Roots, SpanGuard};
use crate::events::panics::caught;
use crate::events::span_beginning::Beginning;
use crate::events::span_buffer;
use crate::pipeline::layer::field_collector::Collected;
#[cfg(feature = "otlp")]
use crate::pipeline::layer::nested::Nested;
#[cfg(feature = "otlp")]
use crate::pipeline::layer::other_tracer::{self, Decision, When};
#[cfg(feature = "otlp")]
use crate::pipeline::layer::span_events::event_of;
use crate::pipeline::traces::REQUEST;

thread_local! {
    /// The spans that are entered on this thread, innermost last.
    static ENTERED: RefCell<Vec<(Id, SpanGuard)>> = const { RefCell::new(Vec::new()) };
}

/// A span of `tracing` that has ended.
pub struct ClosedSpan<'s> {
    /// The span.
    pub open: OpenSpan,
    /// Its name, level and place.
    pub metadata: &'static Metadata<'static>,
    /// Its fields.
    pub fields: &'s Collected,
}

/// A layer that makes the spans of `tracing` part of the recorded trace in which they begin. It passes those that have ended
/// to a handler. Events are added to the span in which they are logged. Outside of a recorded trace, a span that handles a request or a
/// message (`otel.kind`) begins one; others are not recorded.
pub struct SpanLayer {
    begin: fn(&Beginning) -> Result<OpenSpan, Active>,
    handler: Box<Handler>,
}

type Handler = dyn Fn(ClosedSpan<'_>) + Send + Sync;

/// A span that is to be recorded.
struct Recorded {
    state: State,
    fields: Collected,
    /// Whether it is known who exports it: this layer or a tracer of the program.
    #[cfg(feature = "otlp")]
    is_decided: bool,
}

#[derive(Clone)]
enum State {
    /// It begins a trace when it is entered.
    Begins(Beginning),
    /// It is part of a recorded trace.
    Open(OpenSpan),
    /// It has begun a trace that no exporter wants. This is active inside.
    NotSampled(Active),
}

impl Recorded {
    fn new(state: State, fields: Collected) -> Self {
        Self {
            state,
            fields,
            #[cfg(feature = "otlp")]
            is_decided: false,
        }
    }
}

impl SpanLayer {
    /// A layer that begins traces by `begin`, and passes spans to `handler`.
    pub fn new(
        begin: fn(&Beginning) -> Result<OpenSpan, Active>,
        handler: impl Fn(ClosedSpan<'_>) + Send + Sync + 'static,
    ) -> Self {
        Self { begin, handler: Box::new(handler) }
    }

    /// Begins the trace of a span that is entered for the first time, and decides who exports the span.
    fn entered<S: Subscriber + for<'a> LookupSpan<'a>>(&self, id: &Id, context: &Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let Some(beginning) = ({
            let extensions = span.extensions();
            extensions.get::<Recorded>().and_then(|recorded| match &recorded.state {
                State::Begins(beginning) => Some(beginning.clone()),
                State::Open(_) | State::NotSampled(_) => None,
            })
        }) else {
            #[cfg(feature = "otlp")]
            decide(&span, When::Entered);
            return;
        };
        #[cfg(feature = "otlp")]
        if other_tracer::is_of_layer(id) {
            // Its trace is that layer's.
            span.extensions_mut().remove::<Recorded>();
            return;
        }
        let state = (self.begin)(&beginning).map_or_else(State::NotSampled, State::Open);
        if let Some(recorded) = span.extensions_mut().get_mut::<Recorded>() {
            recorded.state = state;
            #[cfg(feature = "otlp")]
            {
                recorded.is_decided = true;
            }
        }
    }
}

/// Decides who exports a recorded span, unless that is known.
#[cfg(feature = "otlp")]
fn decide<'s, R: LookupSpan<'s>>(span: &SpanRef<'s, R>, when: When) {
    let open = {
        let mut extensions = span.extensions_mut();
        let Some(recorded) = extensions.get_mut::<Recorded>().filter(|recorded| !recorded.is_decided) else { return };
        let State::Open(open) = &recorded.state else { return };
        let open = open.clone();
        recorded.is_decided = true;
        open
    };
    match other_tracer::decide(&span.id(), &open, span.name(), when) {
        Decision::Stays => {}
        Decision::Becomes(id) => {
            if let Some(recorded) = span.extensions_mut().get_mut::<Recorded>()
                && let State::Open(open) = &mut recorded.state
            {
                open.active.id = id;
            }
        }
        Decision::IsMoved => {
            let moved = span.extensions_mut().remove::<Recorded>();
            drop(moved);
        }
    }
}

/// What begins outside of a recorded trace, if it handles a request or a message.
fn beginning(attributes: &Attributes<'_>, fields: &Collected) -> Option<Beginning> {
    let is = |kind: &str| fields.text("otel.kind").is_some_and(|of| of.eq_ignore_ascii_case(kind));
    let is_free =
        || attributes.parent().is_none() && !matches!(active_span::current(), Active::Span(_) | Active::NotRecorded(_));
    let op = match active_span::roots() {
        Roots::Remote | Roots::Always if is("server") => REQUEST,
        Roots::Always if is("consumer") => "span",
        _ => return None,
    };
    is_free().then(|| Beginning::now(attributes.metadata().name().into(), op, "tracing"))
}

/// The recorded span of that id.
fn recorded<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>) -> Option<ActiveSpan> {
    let span = context.span(id)?;
    let extensions = span.extensions();
    match &extensions.get::<Recorded>()?.state {
        State::Open(open) => Some(open.active.clone()),
        State::Begins(_) | State::NotSampled(_) => None,
    }
}

/// What is active inside of a recorded span.
fn active<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>) -> Option<Active> {
    let span = context.span(id)?;
    let extensions = span.extensions();
    match &extensions.get::<Recorded>()?.state {
        State::Open(open) => Some(Active::Span(open.active.clone())),
        State::NotSampled(active) => Some(active.clone()),
        State::Begins(_) => None,
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
    #[cfg(feature = "otlp")]
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() { Interest::sometimes() } else { Interest::always() }
    }

    /// Called before any layer sees the span. [`SpanFilter`] does the same for a layer that has it.
    #[cfg(feature = "otlp")]
    fn enabled(&self, _: &Metadata<'_>, _: Context<'_, S>) -> bool {
        active_span::attach_active();
        true
    }

    #[cfg(feature = "otlp")]
    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let span = match event.parent() {
            Some(parent) => recorded(parent, &context),
            None if event.is_contextual() => active_span::current_span(),
            None => None,
        };
        let Some(ActiveSpan { buffer, id }) = span else { return };
        let Some(_nested) = Nested::enter() else { return };
        buffer.add_event(id, || event_of(event));
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        let parent = match attributes.parent() {
            Some(parent) => recorded(parent, &context),
            // The innermost one that is entered here, of `tracing` or not.
            None if attributes.is_contextual() => active_span::current_span(),
            None => None,
        };
        if parent.is_none() && active_span::roots() == Roots::Never {
            return;
        }
        let mut fields = Collected::default();
        attributes.record(&mut fields);
        let state = match parent {
            Some(parent) => State::Open(OpenSpan::of_tracing(parent, attributes.parent().is_none())),
            None => match beginning(attributes, &fields) {
                Some(beginning) => State::Begins(beginning),
                None => return,
            },
        };
        span.extensions_mut().replace(Recorded::new(state, fields));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(span) = context.span(id) else { return };
        // Formatted before the span is locked: a value's `Debug` may use its own span.
        let mut fields = Collected::default();
        values.record(&mut fields);
        if let Some(recorded) = span.extensions_mut().get_mut::<Recorded>() {
            recorded.fields.update(&fields);
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.entered(id, &context);
        if let Some(active) = active(id, &context) {
            let guard = active_span::enter(active);
            let _ = ENTERED.try_with(|entered| entered.borrow_mut().push((id.clone(), guard)));
        }
    }

    fn on_exit(&self, id: &Id, _: Context<'_, S>) {
        let left = ENTERED.try_with(|entered| {
            let mut entered = entered.borrow_mut();
            let index = entered.iter().rposition(|(open, _)| open == id)?;
            let is_innermost = index + 1 == entered.len();
            Some((entered.remove(index).1, is_innermost))
        });
        match left {
            // Dropped here, after the borrow has ended.
            Ok(Some((guard, true))) => drop(guard),
            // Spans that were entered later stay active.
            Ok(Some((guard, false))) => guard.dismiss(),
            Ok(None) | Err(_) => {}
        }
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(span) = context.span(&id) else { return };
        #[cfg(feature = "otlp")]
        decide(&span, When::Ended);
        let recorded = span.extensions_mut().remove::<Recorded>();
        if let Some(Recorded { state: State::Open(open), fields, .. }) = recorded {
            let _ = caught(|| (self.handler)(ClosedSpan { open, metadata: span.metadata(), fields: &fields }));
        }
    }
}

impl fmt::Debug for SpanLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SpanLayer").finish_non_exhaustive()
    }
}

/// Whether spans or events may be part of a recorded trace, or begin one.
pub fn may_record(is_span: bool) -> bool {
    span_buffer::any() || is_span && active_span::roots() != Roots::Never
}

/// The filter of a [`SpanLayer`]: spans, and events if they are wanted, from a level on, while a trace is recorded.
pub struct SpanFilter {
    enabled: Box<Enabled>,
    least: Box<Least>,
    wants_events: fn() -> bool,
}

type Enabled = dyn Fn(Level, &str) -> bool + Send + Sync;
type Least = dyn Fn() -> Option<Level> + Send + Sync;

impl SpanFilter {
    /// A filter that passes what is `enabled` by level and target; `least` is the lowest level that may be enabled. Events are
    /// passed if `wants_events` says so.
    pub fn new(
        enabled: impl Fn(Level, &str) -> bool + Send + Sync + 'static,
        least: impl Fn() -> Option<Level> + Send + Sync + 'static,
        wants_events: fn() -> bool,
    ) -> Self {
        Self { enabled: Box::new(enabled), least: Box::new(least), wants_events }
    }

    fn may_enable(&self, metadata: &Metadata<'_>) -> bool {
        (metadata.is_span() || (self.wants_events)())
            && (self.least)().is_some_and(|least| Level::from_tracing(*metadata.level()) >= least)
    }
}

impl<S> Filter<S> for SpanFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        // Before any layer sees the span or the event.
        #[cfg(feature = "otlp")]
        active_span::attach_active();
        may_record(metadata.is_span())
            && self.may_enable(metadata)
            && (self.enabled)(Level::from_tracing(*metadata.level()), metadata.target())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if self.may_enable(metadata) { Interest::sometimes() } else { Interest::never() }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some((self.least)().map_or(LevelFilter::OFF, |least| LevelFilter::from_level(least.to_tracing())))
    }
}

impl fmt::Debug for SpanFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SpanFilter").finish_non_exhaustive()
    }
}
