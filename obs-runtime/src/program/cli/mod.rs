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

#[cfg(feature = "cli")]
pub(crate) mod arguments;
#[cfg(feature = "cli")]
pub(crate) mod catalogue;
#[cfg(feature = "cli")]
pub(crate) mod command;
#[cfg(feature = "cli")]
pub(crate) mod dq;
#[cfg(feature = "cli")]
pub(crate) mod health;
#[cfg(feature = "cli")]
pub(crate) mod junit;
#[cfg(feature = "cli")]
pub(crate) mod output;
#[cfg(feature = "cli")]
pub(crate) mod settings;
#[cfg(feature = "cli")]
pub(crate) mod table;

pub use catalogue::CatalogueArguments;
pub use command::Command;
pub use dq::{DqCommand, ListArguments, RunArguments};
pub use health::HealthArguments;
pub use settings::{ConfigArguments, StatusArguments};
