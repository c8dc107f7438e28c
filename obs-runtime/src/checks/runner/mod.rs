//! Runs checks concurrently, each on a thread of its own with a time limit. A check that panics or hangs affects no other
//! check, and at most one call of each check is in flight at a time.

pub(crate) mod background;
pub(crate) mod check;
pub(crate) mod details;
pub(crate) mod isolated_call;
pub(crate) mod job;
pub(crate) mod outcome;
pub(crate) mod plan;
pub(crate) mod registry;
pub(crate) mod run_all;
pub(crate) mod single_flight;
pub(crate) mod workers;
