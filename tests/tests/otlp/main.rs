//! Traces by OTLP, to servers that answer as they are told.

mod faults;
mod tracing_spans;
