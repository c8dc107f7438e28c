//! OpenTelemetry's protocol, OTLP: traces, metrics and log records.

pub(crate) mod attributes;
pub(crate) mod client;
pub(crate) mod exporter;
#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc;
#[cfg(feature = "otlp-grpc")]
pub(crate) mod grpc_status;
pub(crate) mod log_records;
pub(crate) mod logs;
pub(crate) mod metric_deltas;
pub(crate) mod metric_messages;
pub(crate) mod metric_points;
pub(crate) mod metrics;
pub(crate) mod otel_fields;
pub(crate) mod program_tracer;
pub(crate) mod rejection;
pub(crate) mod request;
pub(crate) mod resource;
pub(crate) mod sending;
pub(crate) mod spans;
pub(crate) mod stack_trace;
pub(crate) mod user_metrics;
pub(crate) mod worker;
