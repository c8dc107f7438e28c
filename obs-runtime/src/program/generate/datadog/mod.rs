//! Monitors, objectives and a dashboard for Datadog.

pub(crate) mod dashboard;
pub(crate) mod monitor;
pub(crate) mod monitors;
pub(crate) mod objectives;
pub(crate) mod query;
pub(crate) mod target;
