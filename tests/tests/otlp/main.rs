//! Traces, metrics and log records by OTLP, to servers that answer as they are told.

mod faults;
mod logs;
mod metrics;
mod tracing_spans;
