//! Health checks: declaring, running and reporting them, and the answers to probes over HTTP.

pub(crate) mod check;
pub(crate) mod check_state;
pub(crate) mod http;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod readiness;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod run;
pub(crate) mod status;
#[cfg(test)]
mod tests;
