//! From an event to all exporters: fan-out, flush, the global pipeline, `tracing`, `log` and `metrics`.

pub(crate) mod fan_out;
pub(crate) mod flush;
pub(crate) mod global;
pub(crate) mod interface;
pub(crate) mod layer;
pub(crate) mod log_bridge;
pub(crate) mod log_level;
pub(crate) mod subscriber;
#[cfg(feature = "_user-metrics")]
pub(crate) mod user_metrics;
