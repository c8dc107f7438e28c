//! Commands to embed in a program's own command line. A program's checks are linked into it, so the program itself runs and
//! lists them.
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
//!     let _guard = match obs_runtime::init_observability() {
//!         Ok(guard) => Some(guard),
//!         // `config` shows what is wrong.
//!         Err(_) if matches!(&command, Command::Obs(command) if !command.needs_init()) => None,
//!         Err(error) => {
//!             eprintln!("error: {error}");
//!             return ExitCode::FAILURE;
//!         }
//!     };
//!     match command {
//!         Command::Load => ExitCode::SUCCESS,
//!         Command::Obs(command) => command.run(),
//!     }
//! }
//! ```
//!
//! | command | exit code |
//! | --- | --- |
//! | `health` | 0 healthy, 1 degraded, 2 unhealthy, 3 unknown, skipped or invalid declarations |
//! | `dq run` | 0 if the data can be used, 1 if not, 3 if there is nothing to check, a name is unknown or a declaration is invalid |
//! | `dq list`, `catalogue` | 0, or 3 if a declaration is invalid: a duplicate name, `after` with an unknown check |
//! | `config` | 0, or 3 if the configuration has problems; these go to standard error. It needs no initialised obs |
//! | `budget list`, `show`, `set`, `reset` (feature `bigquery`) | 0, or 3 if a budget is unknown, a limit is invalid or the store cannot be used |
//! | `status` | 0, or 3 if obs is not initialised |
//!
//! Results go to standard output, everything else to standard error. If the results cannot be written, because a disk is full for
//! example, the exit code is 74, and 3 for `health`. A pipe that its reader has closed is no error.

#[cfg(feature = "cli")]
pub(crate) mod arguments;
#[cfg(all(feature = "cli", feature = "bigquery"))]
pub(crate) mod budget;
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

#[cfg(feature = "bigquery")]
pub use budget::{BudgetCommand, BudgetListArguments, BudgetResetArguments, BudgetSetArguments, BudgetShowArguments};
pub use catalogue::CatalogueArguments;
pub use command::Command;
pub use dq::{DqCommand, ListArguments, RunArguments};
pub use health::HealthArguments;
pub use settings::{ConfigArguments, StatusArguments};
