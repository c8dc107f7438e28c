//! The exit code of a `main` under `#[tracked_command(init)]`, by the type of its value.

use std::cell::Cell;
use std::fmt::Debug;
use std::process::{ExitCode, Termination};

use crate::program::init::entry_point::{Reported, print_error};

/// The value of `main`.
pub struct Exit<R>(Cell<Option<R>>);

impl<R> Exit<R> {
    /// The value.
    pub const fn new(value: R) -> Self {
        Self(Cell::new(Some(value)))
    }
}

/// Results. The standard library would print the error, and the log or the terminal has it already.
pub trait ExitByResult {
    /// The exit code.
    fn exit_code(&self, reported: Reported) -> ExitCode;
}

impl<T: Termination, E: Debug> ExitByResult for &Exit<Result<T, E>> {
    fn exit_code(&self, reported: Reported) -> ExitCode {
        match self.0.take() {
            Some(Ok(value)) => value.report(),
            Some(Err(error)) => {
                if reported == Reported::No {
                    print_error(&format!("{error:?}"));
                }
                ExitCode::FAILURE
            }
            None => ExitCode::SUCCESS,
        }
    }
}

/// Every other type that `main` may return.
pub trait ExitByValue {
    /// The exit code.
    fn exit_code(&self, reported: Reported) -> ExitCode;
}

impl<R: Termination> ExitByValue for Exit<R> {
    fn exit_code(&self, _reported: Reported) -> ExitCode {
        self.0.take().map_or(ExitCode::SUCCESS, Termination::report)
    }
}
