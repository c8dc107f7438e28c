//! Health checks.

pub(crate) mod check;
pub(crate) mod check_state;
pub(crate) mod http;
pub(crate) mod list;
pub(crate) mod plan;
pub(crate) mod probe;
pub(crate) mod refresh;
pub(crate) mod report;
pub(crate) mod run;
#[cfg(test)]
mod tests;
pub(crate) mod verdict;
