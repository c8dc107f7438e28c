//! Commands to embed in a program's own: its checks are linked into it, so that it is the program that runs and lists them.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use clap::Parser;
//! use obs_runtime::cli;
//!
//! #[derive(Parser)]
//! enum Command {
//!     /// Loads yesterday's data.
//!     Load,
//!     #[command(flatten)]
//!     Obs(cli::Command),
//! }
//!
//! fn main() -> ExitCode {
//!     let command = Command::parse();
//!     let _guard = obs_runtime::init_observability();
//!     match command {
//!         Command::Load => ExitCode::SUCCESS,
//!         Command::Obs(command) => command.run(),
//!     }
//! }
//! ```
//!
//! | command | exit code |
//! | --- | --- |
//! | `health` | 0 healthy, 1 degraded, 2 unhealthy, 3 unknown, skipped or wrong declarations |
//! | `dq run` | 0 when the data can be used, 1 when not, 3 when there is nothing to check or a declaration is wrong |
//! | `dq list`, `catalogue` | 0, or 3 when a declaration is wrong: two checks of one name, a check after one that is not there |
//! | `config`, `status` | 0, or 3 when obs is not initialised |
//!
//! Results go to standard output, all else to standard error.

use std::process::ExitCode;
use std::time::Duration;

use serde::Serialize;

use crate::base::standard_streams::{Hurry, Stream};
use crate::program::cli::catalogue::CatalogueArguments;
use crate::program::cli::dq::DqCommand;
use crate::program::cli::health::HealthArguments;
use crate::program::cli::settings::ConfigArguments;
use crate::program::cli::settings::StatusArguments;

/// What nobody can tell, or wrong use.
pub(super) const UNKNOWN: u8 = 3;

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

/// For people or for programs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
}

/// The same, of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum CheckFormat {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
    /// `JUnit` XML, as continuous integration reads it.
    Junit,
}

/// The same, of data-quality checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum QualityFormat {
    /// A table.
    #[default]
    Text,
    /// JSON.
    Json,
    /// `JUnit` XML, as continuous integration reads it.
    Junit,
    /// An event of `OpenLineage`, as data catalogues take it.
    Openlineage,
}

/// A duration longer than nothing.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(Duration::ZERO) => Err("it must be longer than nothing".to_owned()),
        Ok(duration) => Ok(duration),
        Err(error) => Err(format!("{error}; allowed is a number and a unit, as 500ms, 5s or 1m")),
    }
}

/// Prints to standard output. Nobody may listen there any more, and that is no error of ours.
pub(super) fn print(text: &str) {
    let _hurry = Hurry::begin();
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = Stream::Output.write(format!("{text}{end}").as_bytes());
}

pub(super) fn json(value: &impl Serialize, pretty: bool) -> String {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
}

/// Tells what is wrong with the declarations; whether anything is.
pub(super) fn told(problems: &[String]) -> bool {
    for problem in problems {
        complain(problem);
    }
    !problems.is_empty()
}

pub(super) fn complain(words: &str) {
    let sign = console::style("error:").for_stderr().red().bold();
    let _hurry = Hurry::begin();
    let _ = Stream::Error.write(format!("{sign} {words}\n").as_bytes());
}
