//! Health checks of the resources that obs itself uses, in the group `telemetry`.

#[cfg(feature = "bigquery")]
pub(crate) mod bigquery;
#[cfg(any(feature = "datadog-agentless", feature = "prometheus", feature = "sentry"))]
pub(crate) mod clock_offset;
#[cfg(feature = "datadog")]
pub(crate) mod datadog;
#[cfg(feature = "datadog-agentless")]
pub(crate) mod datadog_api;
pub(crate) mod disk;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
#[cfg(feature = "prometheus")]
pub(crate) mod pushgateway;
pub(crate) mod registration;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
