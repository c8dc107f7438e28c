//! What the program and its libraries log by `tracing`, as events of ours.

use std::borrow::Cow;
use std::cell::{Cell, RefCell};
use std::fmt;
use std::time::SystemTime;

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::base::level::Level;
use crate::events::event::{Event, Fact, Scope, Source};
use crate::metrics::callsite::Tags;
use crate::metrics::drop_counters;
use crate::pipeline::layer::collect::Collected;

/// A layer of `tracing_subscriber` that makes an [`Event`] of each event, with the fields of the spans it is in, and hands
/// it to a handler. The event's context is empty: the handler knows it.
///
/// By itself it takes every event. Which ones it gets is for an [`ObsFilter`] to say, so that other layers beside it go
/// on getting theirs: `ObsLayer::new(…).with_filter(ObsFilter::new(…))`.
pub struct ObsLayer {
    handler: Box<Handler>,
}

type Handler = dyn Fn(Event<'_>) + Send + Sync;

/// What a span adds to the events in it.
struct SpanFields(Collected);

thread_local! {
    static BUSY: Cell<bool> = const { Cell::new(false) };
    static SCRATCH: RefCell<Collected> = RefCell::default();
}

impl ObsLayer {
    /// A layer that hands events to a handler.
    pub fn new(handler: impl Fn(Event<'_>) + Send + Sync + 'static) -> Self {
        Self { handler: Box::new(handler) }
    }

    fn hand_over(&self, metadata: &'static Metadata<'static>, collected: &Collected) {
        let log = collected.log_source();
        let source = Source {
            logger: Cow::Borrowed(log.target.unwrap_or(metadata.target())),
            module: log.module.or_else(|| metadata.module_path()).map(Cow::Borrowed),
            file: log.file.or_else(|| metadata.file()).map(Cow::Borrowed),
            line: log.line.or_else(|| metadata.line()),
        };
        let message = Cow::Borrowed(collected.message().unwrap_or_default());
        (self.handler)(Event {
            time: SystemTime::now(),
            level: Level::from(*metadata.level()),
            source,
            context: Scope::default(),
            fact: Fact::Log { message },
            fields: collected.fields(),
            tags: Tags::new(),
        });
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
        // Formatted before the span is locked: a value may look at its own span.
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
        let collect_and_hand_over = |collected: &mut Collected| {
            collected.clear();
            event.record(collected);
            // The event's own field wins over a span's, and an inner span's over an outer one's.
            for span in context.event_scope(event).into_iter().flatten() {
                if let Some(SpanFields(outer)) = span.extensions().get() {
                    collected.add_missing(outer);
                }
            }
            self.hand_over(event.metadata(), collected);
        };
        let kept = SCRATCH.try_with(|scratch| {
            scratch.try_borrow_mut().map(|mut scratch| {
                collect_and_hand_over(&mut scratch);
                scratch.shrink();
            })
        });
        // The thread is ending.
        if !matches!(kept, Ok(Ok(()))) {
            collect_and_hand_over(&mut Collected::default());
        }
    }
}

impl fmt::Debug for ObsLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ObsLayer").finish_non_exhaustive()
    }
}

/// One event at a time on a thread: what is logged while one is handled would never end.
struct Busy;

impl Busy {
    fn enter() -> Option<Self> {
        // A thread that is ending handles nothing else meanwhile.
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
