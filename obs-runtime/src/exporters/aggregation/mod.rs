//! Aggregates events and the cells of call sites into the series that metric exporters read.

pub(crate) mod aggregator;
pub(crate) mod calls;
pub(crate) mod event_recorder;
pub(crate) mod series_store;
#[cfg(feature = "_user-metrics")]
pub(crate) mod user_buckets;
#[cfg(feature = "_user-metrics")]
pub(crate) mod user_metrics;
#[cfg(feature = "_user-metrics")]
pub(crate) mod user_snapshot;
