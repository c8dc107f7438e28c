//! A layer without a per-layer filter, for subscribers that do not support them.

use tracing_core::span::{Attributes, Id, Record};
use tracing_core::subscriber::Interest;
use tracing_core::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Hands events and spans that are enabled to a layer. Unlike a per-layer filter, it enables every call site of the program.
#[derive(Debug)]
pub struct CheckedLayer<L> {
    layer: L,
    enabled: fn(&Metadata<'_>) -> bool,
}

impl<L> CheckedLayer<L> {
    /// Hands what is `enabled` to `layer`.
    pub const fn new(layer: L, enabled: fn(&Metadata<'_>) -> bool) -> Self {
        Self { layer, enabled }
    }
}

impl<L: Layer<S>, S: Subscriber> Layer<S> for CheckedLayer<L> {
    fn on_layer(&mut self, subscriber: &mut S) {
        self.layer.on_layer(subscriber);
    }

    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        self.layer.register_callsite(metadata)
    }

    fn enabled(&self, metadata: &Metadata<'_>, context: Context<'_, S>) -> bool {
        self.layer.enabled(metadata, context)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        if (self.enabled)(attributes.metadata()) {
            self.layer.on_new_span(attributes, id, context);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        if (self.enabled)(event.metadata()) {
            self.layer.on_event(event, context);
        }
    }

    // A layer ignores a span that it was not given.

    fn on_record(&self, span: &Id, values: &Record<'_>, context: Context<'_, S>) {
        self.layer.on_record(span, values, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        self.layer.on_enter(id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        self.layer.on_exit(id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        self.layer.on_close(id, context);
    }
}
