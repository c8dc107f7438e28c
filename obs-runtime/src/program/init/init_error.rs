//! Why obs could not be initialised.

use std::fmt;

use crate::config::problem::ConfigError;
use crate::exporters::log::exporter::LogFileError;
use crate::exporters::sink::definition::SinkInitError;
use crate::pipeline::global;

/// Initialisation failed. `Debug` formats like `Display`, because `main` prints the error that it returns by `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The configuration is invalid: [what to do](crate::guide::troubleshooting#invalid-configuration).
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log file cannot be written: [what to do](crate::guide::troubleshooting#log-file).
    #[error(transparent)]
    LogFile(#[from] LogFileError),
    /// A sink of the program cannot be used.
    #[error(transparent)]
    Sink(#[from] SinkInitError),
    /// Obs is already initialised, or another thread is initialising it or shutting it down: [what to do](crate::guide::troubleshooting#already-initialised).
    #[error("obs is already initialised: drop the first guard before initialising it again")]
    AlreadyInitialised,
}

impl InitError {
    /// What is wrong, redacted.
    pub(super) fn problems(&self) -> Vec<String> {
        match self {
            Self::Config(error) => error.problems.iter().map(ToString::to_string).collect(),
            other => vec![global::redact(other.to_string())],
        }
    }
}

impl fmt::Debug for InitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}
