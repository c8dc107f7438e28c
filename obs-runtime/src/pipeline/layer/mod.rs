//! The `tracing_subscriber` layer, which turns the program's events, with the fields of their spans, into events of obs.

pub(crate) mod checked_layer;
pub(crate) mod current_span;
pub(crate) mod event_name;
pub(crate) mod field_collector;
pub(crate) mod filter;
#[cfg(feature = "sentry")]
pub(crate) mod log_capture;
pub(crate) mod log_values;
pub(crate) mod nested;
#[cfg(feature = "otlp")]
pub(crate) mod other_tracer;
#[cfg(feature = "otlp")]
pub(crate) mod span_events;
#[cfg(any(feature = "otlp", feature = "sentry"))]
pub(crate) mod span_layer;
pub(crate) mod tracing_layer;
