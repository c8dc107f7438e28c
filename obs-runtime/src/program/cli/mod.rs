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
//!         // `config` and `doctor` show what is wrong.
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
//! `#[command(subcommand)]` in place of `flatten` keeps their names apart from the program's own, as in `job obs doctor`. A `main` that returns
//! a `Result` ends by `Ok(command.run())` if it returns `Result<ExitCode, _>`.
//!
//! | command | exit code |
//! | --- | --- |
//! | `health` | 0 healthy, 1 degraded, 2 unhealthy, 3 unknown, skipped or invalid declarations |
//! | `dq run` | 0 if the data can be used, 1 if not, 3 if there is nothing to check, a name is unknown or a declaration is invalid |
//! | `dq list`, `catalogue` | 0, or 3 if a declaration is invalid: a duplicate name, `after` with an unknown check |
//! | `config` | 0, or 3 if the configuration has problems; these go to standard error. It needs no initialised obs |
//! | `doctor` | 0 if everything that is configured works, 1 if there are warnings, 2 if there are problems. It needs no initialised obs |
//! | `budget list`, `show`, `set`, `reset` (feature `bigquery`) | 0, or 3 if a budget is unknown, a limit is invalid or the store cannot be used |
//! | `generate …` | 0; with `--check` 1 if a file does not fit the code; 3 if a declaration is invalid or nothing can be made of it. It needs no initialised obs |
//! | `status` | 0, or 3 if obs is not initialised |
//!
//! `doctor` looks at the configuration with all its problems and at what has no effect, at the linked features, commands and
//! checks, at the metrics port and who else answers there, at folders and free disk space, at the clock, by the date of servers
//! too, at time zones and trusted certificates, and asks each backend that is configured: all at once, each for at most
//! `--timeout` (5 s). It says what to do. Nothing is recorded by a backend; with `--send`, one test event, an operation named
//! `obs.doctor`, goes through each exporter, sinks of the program included, within `OBS_FLUSH_TIMEOUT`, and `doctor` says which
//! backend has accepted it. If the initialisation has failed, it goes on with each faulty value at its default. With `--format json` the
//! findings have a `subject`, a `status` (`off`, `ok`, `warning`, `problem`), a `message` and, where there is something to do, an
//! `advice`; secrets are masked.
//!
//! [`parse`] counts which arguments of its command line a program is given, by their names: `cli.command.argument`.
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
pub(crate) mod doctor;
#[cfg(feature = "cli")]
pub(crate) mod dq;
pub(crate) mod dq_selection;
#[cfg(feature = "cli")]
pub(crate) mod generate;
#[cfg(feature = "cli")]
pub(crate) mod health;
#[cfg(feature = "cli")]
pub(crate) mod junit;
#[cfg(feature = "cli")]
pub(crate) mod markdown;
pub(crate) mod output;
#[cfg(feature = "cli")]
pub(crate) mod settings;
#[cfg(feature = "cli")]
pub(crate) mod table;
#[cfg(feature = "cli")]
pub(crate) mod usage;

#[cfg(feature = "bigquery")]
pub use budget::{BudgetCommand, BudgetListArguments, BudgetResetArguments, BudgetSetArguments, BudgetShowArguments};
pub use catalogue::CatalogueArguments;
pub use command::Command;
pub use doctor::DoctorArguments;
pub use dq::{DqCommand, ListArguments, RunArguments};
pub use generate::{GenerateArguments, GenerateCommand};
pub use health::HealthArguments;
pub use settings::{ConfigArguments, StatusArguments};
pub use usage::{count_arguments, parse};
