//! Rules for Prometheus, and their unit tests.

pub(crate) mod commands;
pub(crate) mod promql;
pub(crate) mod rule;
pub(crate) mod target;
pub(crate) mod unit_test;
