//! OpenTelemetry's protocol, OTLP: traces.

pub(crate) mod attributes;
pub(crate) mod client;
pub(crate) mod exporter;
pub(crate) mod rejection;
pub(crate) mod resource;
pub(crate) mod spans;
pub(crate) mod worker;
