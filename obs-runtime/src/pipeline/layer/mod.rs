//! The `tracing_subscriber` layer: spans and events of the program become events of obs.

pub(crate) mod collect;
pub(crate) mod filter;
pub(crate) mod tracing_layer;
