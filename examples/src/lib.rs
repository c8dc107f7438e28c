//! Example commands of a data team, and what they share.

pub mod dataset;
pub mod query_cost;
pub mod summary;

use std::process::ExitCode;

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

/// The commands for operators, if the first argument is `generate`: the files of `examples/generated` are made by it.
pub fn generate() -> Option<ExitCode> {
    #[derive(clap::Parser)]
    struct Operators {
        #[command(subcommand)]
        command: obs_runtime::cli::Command,
    }
    let is_asked = std::env::args_os().nth(1).is_some_and(|word| word == "generate");
    is_asked.then(|| <Operators as clap::Parser>::parse().command.run())
}
