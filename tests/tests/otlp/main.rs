//! Traces, metrics and log records by OTLP, to servers with scripted answers.

mod ended;
mod faults;
mod logs;
mod metrics;
mod tracing_spans;
