//! Datadog: DogStatsD to an agent.

#[cfg(feature = "datadog")]
pub(crate) mod deadline_mutex;
#[cfg(feature = "datadog")]
pub(crate) mod delivery;
#[cfg(feature = "datadog")]
pub(crate) mod delta_tracker;
#[cfg(feature = "datadog")]
pub(crate) mod distribution;
#[cfg(feature = "datadog")]
pub(crate) mod events_and_service_checks;
#[cfg(feature = "datadog")]
pub(crate) mod exporter;
#[cfg(feature = "datadog")]
pub(crate) mod lines;
#[cfg(feature = "datadog")]
pub(crate) mod measurements;
#[cfg(feature = "datadog")]
pub(crate) mod names;
#[cfg(feature = "datadog")]
pub(crate) mod origin;
#[cfg(feature = "datadog")]
pub(crate) mod transport;
#[cfg(feature = "datadog")]
pub(crate) mod user_metrics;
