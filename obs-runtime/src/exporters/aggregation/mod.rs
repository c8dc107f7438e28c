//! Turns events into series that the metric exporters read.

pub(crate) mod calls;
pub(crate) mod exporter;
pub(crate) mod recording;
pub(crate) mod store;
