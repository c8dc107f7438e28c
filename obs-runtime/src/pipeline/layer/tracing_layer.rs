//! Turns events of `tracing` into events of obs.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
#[cfg(feature = "sentry")]
use std::error::Error;
use std::fmt;
use std::time::SystemTime;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Metadata, Subscriber};
use tracing_log::NormalizeEvent as _;
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::base::level::Level;
use crate::events::event::{Event, EventContext, Fact, Source};
use crate::metrics::callsite::Tags;
use crate::metrics::drop_counters;
use crate::pipeline::layer::field_collector::Collected;
#[cfg(feature = "sentry")]
use crate::pipeline::layer::log_capture::{self, ErrorField, LoggedError};

/// A layer that turns each `tracing` event, with the fields of its enclosing spans, into an [`Event`] for a handler. The
/// event's context is empty; the handler fills it in.
///
/// The layer takes every event. An [`ObsFilter`](crate::pipeline::layer::filter::ObsFilter) filters them without affecting
/// other layers: `ObsLayer::new(…).with_filter(ObsFilter::new(…))`.
pub struct ObsLayer {
    handler: Box<Handler>,
}

type Handler = dyn Fn(Event<'_>) + Send + Sync;

/// The fields that a span adds to its events.
struct SpanFields(Collected);

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
    static SCRATCH: RefCell<Collected> = RefCell::default();
}

impl ObsLayer {
    /// A layer that passes events to `handler`.
    pub fn new(handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self { handler: Box::new(handler) }
    }

    fn handle(&self, metadata: &'static Metadata<'static>, collected: &Collected) {
        let message = Cow::Borrowed(collected.message().unwrap_or_default());
        (self.handler)(Event {
            time: SystemTime::now(),
            level: Level::from_tracing(*metadata.level()),
            source: source(metadata, collected),
            context: EventContext::default(),
            fact: Fact::Log { message },
            fields: collected.fields(),
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
    let line = LoggedError { level, source, message: collected.message().unwrap_or_default(), error: None };
    let mut field = ErrorField::new(|error: &(dyn Error + 'static)| {
        log_capture::capture(&LoggedError { error: Some(error), source: line.source.clone(), ..line });
    });
    event.record(&mut field);
    if field.left().is_some() {
        log_capture::capture(&line);
    }
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for ObsLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let Some(_busy) = Busy::enter() else { return };
        let Some(span) = context.span(id) else { return };
        let mut collected = Collected::default();
        attributes.record(&mut collected);
        span.extensions_mut().replace(SpanFields(collected));
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        let Some(_busy) = Busy::enter() else { return };
        let Some(span) = context.span(id) else { return };
        // Format before locking the span: a value's `Debug` may access its own span.
        let mut collected = Collected::default();
        values.record(&mut collected);
        let mut extensions = span.extensions_mut();
        if let Some(SpanFields(before)) = extensions.get_mut() {
            before.update(&collected);
        } else {
            extensions.insert(SpanFields(collected));
        }
    }

    fn on_event(&self, event: &tracing_core::Event<'_>, context: Context<'_, S>) {
        let Some(_busy) = Busy::enter() else {
            drop_counters::count("log", "reentrant", 1);
            return;
        };
        let collect_and_handle = |collected: &mut Collected| {
            collected.clear();
            event.record(collected);
            // The target tells most events from records of the `log` crate without a look at the call site.
            if event.metadata().target() == "log" && event.is_log() {
                collected.mark_log_record();
            }
            // An event's field hides a span's, and an inner span's hides an outer one's.
            for span in context.event_scope(event).into_iter().flatten() {
                if let Some(SpanFields(outer)) = span.extensions().get() {
                    collected.add_missing(outer);
                }
            }
            // Before the line becomes a breadcrumb.
            #[cfg(feature = "sentry")]
            capture(event, collected);
            self.handle(event.metadata(), collected);
        };
        let kept = SCRATCH.try_with(|scratch| {
            scratch.try_borrow_mut().map(|mut scratch| {
                collect_and_handle(&mut scratch);
                scratch.shrink();
            })
        });
        // The thread is exiting: its scratch buffer is gone.
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

/// Prevents recursion: an event that is logged while another one is handled on the same thread is ignored.
struct Busy;

impl Busy {
    fn enter() -> Option<Self> {
        // On a thread that is exiting the flag is gone, and no event is being handled.
        let busy = BUSY.try_with(|busy| busy.replace(true)).unwrap_or(false);
        (!busy).then_some(Self)
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        let _ = BUSY.try_with(|busy| busy.set(false));
    }
}

#[cfg(test)]
mod tests;
