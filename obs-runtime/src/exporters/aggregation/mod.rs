//! Aggregates events and the cells of call sites into the series that metric exporters read.

pub(crate) mod aggregator;
pub(crate) mod calls;
pub(crate) mod event_recorder;
pub(crate) mod series_store;
#[cfg(any(feature = "otlp", feature = "prometheus"))]
pub(crate) mod user_buckets;
#[cfg(any(feature = "datadog", feature = "otlp"))]
pub(crate) mod user_metrics;
