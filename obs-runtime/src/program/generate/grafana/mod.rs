//! Dashboards for Grafana: one for each command, and one for each other subject that the program has.

pub(crate) mod dashboard;
pub(crate) mod panel;
pub(crate) mod subjects;
pub(crate) mod target;
