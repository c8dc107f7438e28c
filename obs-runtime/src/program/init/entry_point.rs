//! What `#[tracked_command(init)]` makes of `main`, and the same by a macro.

use std::process::ExitCode;

use crate::base::level::Level;
use crate::exporters::log::log_output::{stderr_is_terminal, write_stderr};
use crate::metrics::callsite::Callsite;
use crate::pipeline::global;
use crate::program::guard::Guard;
use crate::program::init::init_error::InitError;
use crate::program::init::observability::Observability;

/// Initialises obs from the environment, as [`init_observability`](crate::init_observability) does, with the name and the
/// version of the calling crate as defaults for `SERVICE_NAME` and the version. Returns `Result<Guard, InitError>`.
///
/// `#[tracked_command(init)]` on `main` does this, and prints the error.
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _guard = obs_runtime::init!()?;
///     // … the job …
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! init {
    () => {
        $crate::__private::of_crate(::core::env!("CARGO_PKG_NAME"), ::core::env!("CARGO_PKG_VERSION")).init()
    };
}

/// A builder with defaults from a crate.
#[doc(hidden)]
pub fn of_crate(name: &'static str, version: &'static str) -> crate::ObservabilityBuilder {
    Observability::builder().defaults(|config| {
        config.service_name = name.to_owned();
        config.version = version.to_owned();
    })
}

/// The `main` of a program under `#[tracked_command(init)]`.
#[derive(Clone, Copy, Debug)]
pub struct EntryPoint {
    callsite: &'static Callsite,
    name: &'static str,
    version: &'static str,
    lenient: bool,
}

/// Whether the reason of a failure has been written to the log or to the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reported {
    /// It has been.
    Yes,
    /// It has not.
    No,
}

impl EntryPoint {
    /// The `main` of the crate of this name and version.
    pub const fn new(callsite: &'static Callsite, name: &'static str, version: &'static str) -> Self {
        Self { callsite, name, version, lenient: false }
    }

    /// Goes on when the configuration has problems.
    #[must_use]
    pub const fn lenient(self) -> Self {
        Self { lenient: true, ..self }
    }

    /// Initialises obs, runs the command, flushes, and returns the exit code.
    pub fn run<R>(self, command: impl FnOnce() -> R, exit_code: impl FnOnce(R, Reported) -> ExitCode) -> ExitCode {
        let builder = of_crate(self.name, self.version);
        let guard = match if self.lenient { builder.lenient() } else { builder }.init() {
            Ok(guard) => Some(guard),
            // `main` has called itself.
            Err(InitError::AlreadyInitialised) => None,
            Err(error) => {
                print_error(&format!("{}: {error}", self.callsite.name()));
                return ExitCode::FAILURE;
            }
        };
        let value = command();
        let code = exit_code(value, guard.as_ref().map_or(Reported::Yes, |guard| self.reported(guard)));
        drop(guard);
        code
    }

    /// The log has the reason of a failure on the command's finish line, unless its filter excludes it. A terminal has it
    /// always.
    fn reported(self, guard: &Guard) -> Reported {
        if !guard.config().enabled {
            return Reported::No;
        }
        let in_log = guard.log_level.get().enables(Level::Error, self.callsite.place().module);
        if in_log || stderr_is_terminal() { Reported::Yes } else { Reported::No }
    }
}

/// Prints an error for a person. A failure to print cannot be reported.
pub fn print_error(message: &str) {
    let line = format!("error: {}\n", global::redact(message.to_owned()));
    let _ = write_stderr(line.as_bytes());
}
