//! The exporters. Each receives redacted events and implements [`Exporter`](interface::Exporter) with one exhaustive `match`.

pub(crate) mod aggregation;
#[cfg(feature = "datadog")]
pub(crate) mod datadog;
#[cfg(any(feature = "bigquery", feature = "datadog", feature = "otlp"))]
pub(crate) mod deadline_mutex;
pub(crate) mod error_event;
#[cfg(any(feature = "datadog-agentless", feature = "otlp", feature = "prometheus", feature = "sentry"))]
pub(crate) mod http;
pub(crate) mod interface;
pub(crate) mod log;
#[cfg(feature = "testing")]
pub(crate) mod memory;
#[cfg(feature = "testing")]
pub(crate) mod memory_metrics;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
#[cfg(feature = "prometheus")]
pub(crate) mod prometheus;
pub(crate) mod reentrancy;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
pub mod sink;
#[cfg(any(feature = "otlp", feature = "sentry"))]
pub(crate) mod stack_names;
