//! Rules for Prometheus, and their unit tests.

pub(crate) mod checks;
pub(crate) mod commands;
pub(crate) mod objectives;
pub(crate) mod promql;
pub(crate) mod rule;
pub(crate) mod spending;
pub(crate) mod target;
pub(crate) mod telemetry;
pub(crate) mod unit_test;
