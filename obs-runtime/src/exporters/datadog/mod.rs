//! Datadog: metrics, service checks and events to an agent over `DogStatsD`, or to the API where there is no agent.

#[cfg(feature = "datadog-agentless")]
pub(crate) mod agentless;
pub(crate) mod delivery;
pub(crate) mod delta_tracker;
pub(crate) mod distribution;
pub(crate) mod events_and_service_checks;
pub(crate) mod exporter;
pub(crate) mod lines;
pub(crate) mod measurements;
pub(crate) mod names;
pub(crate) mod origin;
pub(crate) mod transport;
pub(crate) mod user_metrics;
