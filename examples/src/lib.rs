//! Example commands of a data team, and what they share.

pub mod dataset;
pub mod query_cost;
pub mod summary;

use obs_runtime::{Level, Observability, ObservabilityBuilder};

/// The configuration of an interactive tool: it logs warnings only, unless `LOG_LEVEL` is set, and takes any free port,
/// because it is too short-lived to be scraped. Set `PROMETHEUS_TEXTFILE_DIR` to get its metrics.
pub fn tool(name: &str) -> ObservabilityBuilder {
    Observability::builder().version(env!("CARGO_PKG_VERSION")).defaults(|config| {
        name.clone_into(&mut config.service_name);
        config.log_level = Level::Warning.into();
        config.prometheus_port = 0.into();
    })
}
