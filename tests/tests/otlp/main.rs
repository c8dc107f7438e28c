//! Traces, metrics and log records by OTLP, to servers with scripted answers.

mod context;
mod ended;
mod faults;
mod logs;
mod memory;
mod metrics;
mod names;
mod own_tracer;
mod span_contents;
mod tracing_spans;
