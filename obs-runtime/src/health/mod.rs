//! Health checks: declared on a function or registered by hand, run together, each apart from the others.

mod board;
mod check;
mod http;
mod list;
mod plan;
mod probe;
mod refresh;
mod report;
mod run;
mod verdict;

#[cfg(feature = "testing")]
pub use board::Board;
pub use check::{HealthCheck, register_health_check};
pub use http::{HealthResponse, health_response};
pub use list::{HEALTH_CHECKS, checks, problems};
pub use probe::forget;
pub use refresh::Refresh;
pub use report::{HealthReport, HealthResult};
pub use run::{HealthRun, run_health_checks};
pub use verdict::{Health, IntoHealth, Status};

#[cfg(test)]
mod tests;
