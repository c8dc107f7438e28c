//! The path of an event to the exporters: the global pipeline, fan-out and flush, and the inputs from `tracing`, `log` and
//! `metrics`.

pub(crate) mod async_flush;
pub(crate) mod background_flush;
#[cfg(feature = "testing")]
pub(crate) mod capture;
pub(crate) mod fan_out;
pub(crate) mod flush;
pub(crate) mod global;
pub(crate) mod interface;
pub(crate) mod layer;
pub(crate) mod log_bridge;
pub(crate) mod log_level;
pub(crate) mod outgoing_context;
#[cfg(any(feature = "otlp", feature = "sentry"))]
pub(crate) mod span_export;
pub(crate) mod subscriber;
pub(crate) mod traces;
#[cfg(feature = "_user-metrics")]
pub(crate) mod user_metrics;
