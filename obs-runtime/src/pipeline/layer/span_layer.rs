//! Records spans of `tracing` as spans of the traces that they are part of, and events as events of these spans.

use std::borrow::Cow;
use std::cell::RefCell;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::Dispatch;
use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, LevelFilter, Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, Filter};
use tracing_subscriber::registry::LookupSpan;

use crate::base::clock;
use crate::base::level::Level;
use crate::events::active_span::{self, Active, ActiveSpan, OpenSpan, SpanGuard};
use crate::events::otel_context;
use crate::events::panics::caught;
use crate::events::span_beginning::Beginning;
use crate::events::span_buffer;
use crate::events::span_event::SpanEvent;
use crate::pipeline::layer::event_name;
use crate::pipeline::layer::field_collector::Collected;
use crate::pipeline::layer::nested::Nested;

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
/// to a handler. Events are added to the span in which they are logged. What is outside of a recorded trace is not recorded.
pub struct SpanLayer {
    handler: Box<Handler>,
}

type Handler = dyn Fn(ClosedSpan<'_>) + Send + Sync;

/// A recorded span.
struct Recorded {
    open: OpenSpan,
    fields: Collected,
    /// Whether it is known who exports it: this layer or a tracer of the program.
    is_decided: bool,
}

impl SpanLayer {
    /// A layer that passes spans to `handler`.
    pub fn new(handler: impl Fn(ClosedSpan<'_>) + Send + Sync + 'static) -> Self {
        Self { handler: Box::new(handler) }
    }
}

/// The recorded span of that id.
fn recorded<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>) -> Option<ActiveSpan> {
    let span = context.span(id)?;
    let extensions = span.extensions();
    extensions.get::<Recorded>().map(|recorded| recorded.open.active.clone())
}

/// Whether spans were seen that the layer of `tracing-opentelemetry` exports.
static LAYER_IS_SEEN: AtomicBool = AtomicBool::new(false);

/// Decides who exports a recorded span, when it is entered for the first time: that layer, the program's tracer provider, or obs.
/// A span that was never entered is decided about when it ends; what that layer knows of it may be gone then, and it counts as that
/// layer's if others were.
fn decide<S: Subscriber + for<'a> LookupSpan<'a>>(id: &Id, context: &Context<'_, S>, at_end: bool) {
    let Some(span) = context.span(id) else { return };
    let (active, parent, begun) = {
        let mut extensions = span.extensions_mut();
        let Some(recorded) = extensions.get_mut::<Recorded>().filter(|recorded| !recorded.is_decided) else { return };
        recorded.is_decided = true;
        (recorded.open.active.clone(), recorded.open.parent, recorded.open.begun)
    };
    let beginning = Beginning { name: span.name().into(), op: "span", attribute: "tracing", begun };
    let program = active.buffer.program();
    let by_layer =
        |dispatch: &Dispatch| caught(|| tracing_opentelemetry::get_otel_context(id, dispatch)).ok().flatten();
    let of_layer = tracing_core::dispatcher::get_default(by_layer);
    let decided = match of_layer.and_then(|context| Some((otel_context::trace_of(&context)?, context))) {
        Some((trace, context)) => {
            LAYER_IS_SEEN.store(true, Ordering::Relaxed);
            trace.is_of_same_trace(&active.buffer.trace()).then(|| {
                program.note(trace.span(), context, beginning);
                trace.span()
            })
        }
        None if at_end && LAYER_IS_SEEN.load(Ordering::Relaxed) => {
            program.note_id(active.id);
            None
        }
        None => program.begin(parent, &beginning),
    };
    if let Some(decided) = decided
        && let Some(recorded) = span.extensions_mut().get_mut::<Recorded>()
    {
        recorded.open.active.id = decided;
    }
}

fn event_of(event: &Event<'_>) -> SpanEvent {
    let mut collected = Collected::default();
    event.record(&mut collected);
    if event.is_log() {
        collected.mark_log_record();
    }
    let metadata = event.metadata();
    let logger =
        collected.log_source().target.map_or(Cow::Borrowed(metadata.target()), |target| target.to_owned().into());
    let message = collected.message();
    let message =
        message.unwrap_or_else(|| event_name::instead_of_message(event_name::given(metadata.name()), &collected, None));
    SpanEvent {
        time: clock::wall(),
        level: Level::from_tracing(*metadata.level()),
        logger,
        message: Cow::Owned(message.into_owned()),
        fields: collected.to_fields_of_event(),
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for SpanLayer {
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
        let Some(parent) = parent else { return };
        let mut fields = Collected::default();
        attributes.record(&mut fields);
        let open = OpenSpan::of_tracing(parent, attributes.parent().is_none());
        span.extensions_mut().replace(Recorded { open, fields, is_decided: false });
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
        decide(id, &context, false);
        if let Some(active) = recorded(id, &context) {
            let guard = active_span::enter(Active::Span(active));
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
        decide(&id, &context, true);
        let Some(span) = context.span(&id) else { return };
        let recorded = span.extensions_mut().remove::<Recorded>();
        if let Some(Recorded { open, fields, .. }) = recorded {
            let _ = caught(|| (self.handler)(ClosedSpan { open, metadata: span.metadata(), fields: &fields }));
        }
    }
}

impl fmt::Debug for SpanLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SpanLayer").finish_non_exhaustive()
    }
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
        span_buffer::any()
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
