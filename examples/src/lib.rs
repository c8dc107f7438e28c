//! Commands that a data team could start from, and what they share.

pub mod dataset;
pub mod query_cost;
pub mod summary;

use obs_runtime::{Level, Observability, ObservabilityBuilder};

/// How a tool for people is observed: it logs warnings only, unless `LOG_LEVEL` says otherwise, and takes any free port,
/// as it lives too short to be scraped. Whoever wants its metrics sets `PROMETHEUS_TEXTFILE_DIR`.
pub fn tool(name: &str) -> ObservabilityBuilder {
    Observability::builder().version(env!("CARGO_PKG_VERSION")).defaults(|config| {
        name.clone_into(&mut config.service_name);
        config.log_level = Level::Warning.into();
        config.prometheus_port = 0;
    })
}
