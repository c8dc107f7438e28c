//! Turns events into series that the metric exporters read.

pub(crate) mod aggregator;
pub(crate) mod calls;
pub(crate) mod event_recorder;
pub(crate) mod store;
