//! One report for one error, however many annotated calls it passes.

pub(crate) mod flush;
pub(crate) mod pending_error;
pub(crate) mod rate_limit;
pub(crate) mod store;
pub(crate) mod task_id;
