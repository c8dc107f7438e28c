//! Turns events of `tracing` into events of obs.

use std::borrow::Cow;
use std::cell::RefCell;
#[cfg(feature = "sentry")]
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::base::clock;
use crate::base::level::Level;
use crate::context::current as obs_context;
use crate::events::event::{Event, EventContext, Fact, Source};
use crate::events::field::Field;
use crate::events::log_span::{self, EventSpans, LogSpan};
use crate::events::logged_errors;
use crate::metrics::callsite::Tags;
use crate::metrics::drop_counters;
use crate::pipeline::layer::checked_layer::CheckedLayer;
use crate::pipeline::layer::current_span;
use crate::pipeline::layer::event_name;
use crate::pipeline::layer::field_collector::Collected;
#[cfg(feature = "sentry")]
use crate::pipeline::layer::log_capture::{self, ErrorField, LoggedError};
use crate::pipeline::layer::log_values;
use crate::pipeline::layer::nested::Nested;

/// A layer that turns each `tracing` event, with the fields of its enclosing spans, into an [`Event`] for a handler. The
/// event's context is empty; the handler fills it in.
///
/// The layer takes every event. An [`ObsFilter`](crate::pipeline::layer::filter::ObsFilter) filters them without affecting
/// other layers: `ObsLayer::new(…).with_filter(ObsFilter::new(…))`.
pub struct ObsLayer {
    handler: Box<Handler>,
    /// Whether it is part of a subscriber. A layer that was put into `reload::Layer` later is not.
    is_added: Arc<AtomicBool>,
    /// Whether the subscriber has another one, which takes the events.
    is_second: bool,
}

/// Whether any layer was added to a subscriber that has one already.
static HAS_SECOND: AtomicBool = AtomicBool::new(false);

/// Returns once whether a layer was added to a subscriber that has one already.
pub fn take_has_second() -> bool {
    HAS_SECOND.swap(false, Ordering::SeqCst)
}

/// Whether a subscriber has the layer of obs, in any form. One in a `reload::Layer` is not found.
pub fn has_layer(subscriber: &dyn Subscriber) -> bool {
    subscriber.is::<ObsLayer>() || subscriber.is::<CheckedLayer<ObsLayer>>()
}

type Handler = dyn Fn(Event<'_>) + Send + Sync;

thread_local! {
    static SCRATCH: RefCell<Collected> = RefCell::default();
}

impl ObsLayer {
    /// A layer that passes events to `handler`.
    pub fn new(handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self { handler: Box::new(handler), is_added: Arc::default(), is_second: false }
    }

    /// Whether it is part of a subscriber.
    pub fn is_added(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_added)
    }

    fn handle(
        &self,
        metadata: &'static Metadata<'static>,
        collected: &Collected,
        values: Vec<Field<'static>>,
        span: Option<Arc<LogSpan>>,
    ) {
        let source = source(metadata, collected);
        let name = event_name::given(metadata.name());
        let level = Level::from_tracing(*metadata.level());
        // As `#[instrument(err)]` logs an error.
        let error = if level == Level::Error && !collected.has("message") { collected.text("error") } else { None };
        let in_span = span.as_ref().map_or(0, |span| span.serial());
        let level = if error.is_some_and(|error| logged_errors::log(error, in_span)) { Level::Debug } else { level };
        let message = collected.message();
        let message = message.unwrap_or_else(|| event_name::instead_of_message(name, collected, span.as_deref()));
        let mut fields = collected.fields();
        fields.extend(values);
        fields.extend(name.map(|name| Field::new("event", name)));
        let spans = span.map_or(EventSpans::None, EventSpans::Raw);
        (self.handler)(Event {
            time: clock::wall(),
            level,
            source,
            context: EventContext { spans, ..EventContext::default() },
            fact: Fact::Log { message },
            fields,
            tags: Tags::new(),
        });
    }
}

fn source<'e>(metadata: &'static Metadata<'static>, collected: &'e Collected) -> Source<'e> {
    let log = collected.log_source();
    Source {
        logger: Cow::Borrowed(log.target.unwrap_or(metadata.target())),
        module: log.module.or_else(|| metadata.module_path()).map(Cow::Borrowed),
        file: log.file.or_else(|| metadata.file()).map(Cow::Borrowed),
        line: log.line.or_else(|| metadata.line()),
    }
}

/// Has the event captured as an error, if the configuration asks for it.
#[cfg(feature = "sentry")]
fn capture(event: &tracing_core::Event<'_>, collected: &Collected) {
    let level = Level::from_tracing(*event.metadata().level());
    if !log_capture::wants(level) {
        return;
    }
    let source = source(event.metadata(), collected);
    let message = collected.message();
    let line = LoggedError { level, source, message: message.as_deref().unwrap_or_default(), error: None };
    let mut field = ErrorField::new(|error: &(dyn Error + 'static)| {
        log_capture::capture(&LoggedError { error: Some(error), source: line.source.clone(), ..line });
    });
    event.record(&mut field);
    if field.left().is_some() {
        log_capture::capture(&line);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ObsLayer {
    fn on_layer(&mut self, subscriber: &mut S) {
        self.is_added.store(true, Ordering::SeqCst);
        self.is_second = has_layer(subscriber);
        if self.is_second {
            HAS_SECOND.store(true, Ordering::SeqCst);
        }
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(_nested) = Nested::enter().filter(|_| !self.is_second) else { return };
        let Some(span) = context.span(id) else { return };
        log_span::set_find(current_span::find);
        let mut collected = Collected::default();
        attributes.record(&mut collected);
        let parent = span.parent().and_then(|parent| current_span::of(&parent));
        let name = attributes.metadata().name();
        let added = LogSpan::new(name, parent, obs_context::Context::for_span(), collected.to_fields());
        span.extensions_mut().replace(Arc::new(added));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(_nested) = Nested::enter().filter(|_| !self.is_second) else { return };
        let Some(span) = context.span(id) else { return };
        let Some(known) = current_span::of(&span) else { return };
        // Formatted without a lock: a value's `Debug` may access its own span.
        let mut collected = Collected::default();
        values.record(&mut collected);
        known.record(collected.to_fields());
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let Some(_nested) = Nested::enter().filter(|_| !self.is_second) else { return };
        let Some(span) = context.span(&id) else { return };
        let Some(known) = current_span::of(&span) else { return };
        let Some(age) = known.age() else { return };
        (self.handler)(Event {
            time: clock::wall(),
            level: Level::from_tracing(*span.metadata().level()),
            source: source(span.metadata(), &Collected::default()),
            context: EventContext { spans: EventSpans::Raw(known), ..EventContext::default() },
            fact: Fact::Log { message: "close".into() },
            fields: vec![Field::new("duration_seconds", age.as_secs_f64())],
            tags: Tags::new(),
        });
    }

    fn on_event(&self, event: &tracing_core::Event<'_>, context: Context<'_, S>) {
        if self.is_second {
            return;
        }
        let Some(_nested) = Nested::enter() else {
            drop_counters::count("log", "reentrant", 1);
            return;
        };
        let collect_and_handle = |collected: &mut Collected| {
            collected.clear();
            // The target tells most events from records of the `log` crate without a look at the call site.
            let is_log_record = event.metadata().target() == "log" && event.is_log();
            let values = if is_log_record { log_values::take() } else { Vec::new() };
            event.record(collected);
            if is_log_record {
                collected.mark_log_record();
            }
            // Before the line becomes a breadcrumb.
            #[cfg(feature = "sentry")]
            capture(event, collected);
            let span = context.event_span(event).and_then(|span| current_span::of(&span));
            self.handle(event.metadata(), collected, values, span);
        };
        let kept = SCRATCH.try_with(|scratch| {
            scratch.try_borrow_mut().map(|mut scratch| {
                collect_and_handle(&mut scratch);
                scratch.shrink();
            })
        });
        // Another event is being formatted, or the thread is exiting and its scratch buffer is gone.
        if !matches!(kept, Ok(Ok(()))) {
            collect_and_handle(&mut Collected::default());
        }
    }
}

impl fmt::Debug for ObsLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ObsLayer").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
