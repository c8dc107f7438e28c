//! The commands, as an enum to flatten into a program's own.

use std::process::ExitCode;

use crate::instrument::call::operator_span::OperatorSpan;
#[cfg(feature = "bigquery")]
use crate::program::cli::budget::BudgetCommand;
use crate::program::cli::catalogue::CatalogueArguments;
use crate::program::cli::doctor::DoctorArguments;
use crate::program::cli::dq::DqCommand;
use crate::program::cli::generate::GenerateCommand;
use crate::program::cli::health::HealthArguments;
use crate::program::cli::output::OUTPUT_FAILED;
use crate::program::cli::settings::ConfigArguments;
use crate::program::cli::settings::StatusArguments;
use crate::program::early_drop;

/// The commands, to flatten into a program's own clap command.
#[derive(Clone, Debug, clap::Subcommand)]
#[non_exhaustive]
pub enum Command {
    /// Runs the health checks: exits with 0 when healthy, 1 degraded, 2 unhealthy, 3 unknown.
    Health(HealthArguments),
    /// Data-quality checks.
    #[command(subcommand)]
    Dq(Box<DqCommand>),
    /// Lists the instrumented functions, checks and metrics of the program, without running any.
    Catalogue(CatalogueArguments),
    /// Budgets of BigQuery costs.
    #[cfg(feature = "bigquery")]
    #[command(subcommand)]
    Budget(BudgetCommand),
    /// Makes files for those who operate the program, from what its attributes declare.
    #[command(subcommand)]
    Generate(Box<GenerateCommand>),
    /// Prints each setting, its value and its source. Secrets are masked.
    Config(ConfigArguments),
    /// Finds out what does not work, and says what to do: exits with 0 when all is well, 1 with warnings, 2 with problems.
    Doctor(DoctorArguments),
    /// Prints the status of each exporter of this process.
    Status(StatusArguments),
}

impl Command {
    /// Runs the command, prints to standard output and returns the exit code: 74 if the output could not be written (`health`:
    /// 3). Blocks until the command has ended; `--watch`
    /// ends with the process.
    pub fn run(&self) -> ExitCode {
        early_drop::note_reading();
        let span = OperatorSpan::begin();
        let code = self.run_inside();
        if let Some(span) = span {
            span.end(self.name(), code);
        }
        code
    }

    /// The name of its span.
    const fn name(&self) -> &'static str {
        match self {
            Self::Health(_) => "health",
            Self::Dq(command) => command.name(),
            Self::Catalogue(_) => "catalogue",
            #[cfg(feature = "bigquery")]
            Self::Budget(command) => command.name(),
            Self::Generate(command) => command.name(),
            Self::Config(_) => "config",
            Self::Doctor(_) => "doctor",
            Self::Status(_) => "status",
        }
    }

    fn run_inside(&self) -> ExitCode {
        let code = match self {
            Self::Health(arguments) => Ok(arguments.run()),
            Self::Dq(command) => command.run(),
            Self::Catalogue(arguments) => arguments.run(),
            #[cfg(feature = "bigquery")]
            Self::Budget(command) => command.run(),
            Self::Generate(command) => command.run(),
            Self::Config(arguments) => arguments.run(),
            Self::Doctor(arguments) => arguments.run(),
            Self::Status(arguments) => arguments.run(),
        };
        ExitCode::from(code.unwrap_or(OUTPUT_FAILED))
    }

    /// Whether the command needs obs to be initialised. `config`, `doctor`, `catalogue` and `generate` do not: the first two show what
    /// is wrong when initialisation fails.
    #[must_use]
    pub const fn needs_init(&self) -> bool {
        !matches!(self, Self::Config(_) | Self::Doctor(_) | Self::Catalogue(_) | Self::Generate(_))
    }
}
