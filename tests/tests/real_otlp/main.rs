//! Metrics and log records by OTLP, through a real OpenTelemetry Collector.

mod logs;
mod metrics;
