//! The commands, as an enum to flatten into a program's own.

use std::process::ExitCode;

use crate::program::cli::catalogue::CatalogueArguments;
use crate::program::cli::dq::DqCommand;
use crate::program::cli::health::HealthArguments;
use crate::program::cli::settings::ConfigArguments;
use crate::program::cli::settings::StatusArguments;

/// The commands, to be flattened into a program's own clap command.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Runs the health checks: exits with 0 when healthy, 1 degraded, 2 unhealthy, 3 unknown.
    Health(HealthArguments),
    /// Data-quality checks.
    #[command(subcommand)]
    Dq(DqCommand),
    /// Lists everything that obs knows of the program, without running any of it.
    Catalogue(CatalogueArguments),
    /// Tells each value of the configuration and where it came from, secrets masked.
    Config(ConfigArguments),
    /// Tells how each sink of this process is doing.
    Status(StatusArguments),
}

impl Command {
    /// Runs the command: prints to standard output and gives the exit code. Blocks until it has ended; with `--watch` it
    /// goes on until the process ends.
    pub fn run(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Health(arguments) => arguments.run(),
            Self::Dq(command) => command.run(),
            Self::Catalogue(arguments) => arguments.run(),
            Self::Config(arguments) => arguments.run(),
            Self::Status(arguments) => arguments.run(),
        })
    }
}
