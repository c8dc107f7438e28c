//! Runs checks: each on a thread of its own with a time limit, isolated from the others.

pub(crate) mod check;
pub(crate) mod details;
pub(crate) mod ending;
pub(crate) mod isolated;
pub(crate) mod job;
pub(crate) mod listed;
pub(crate) mod run_all;
pub(crate) mod single_flight;
pub(crate) mod waiting;
