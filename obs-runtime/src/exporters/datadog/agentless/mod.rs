//! The same metrics, service checks and events as an agent gets, to Datadog's API.

pub(crate) mod client;
pub(crate) mod collector;
pub(crate) mod exporter;
pub(crate) mod packing;
pub(crate) mod payload;
pub(crate) mod points;
pub(crate) mod queue;
pub(crate) mod rejection;
