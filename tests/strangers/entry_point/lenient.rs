//! A job that goes on with an invalid configuration, and gives an exit code of its own.

use std::process::ExitCode;

#[obs_runtime::tracked_command(init = "lenient", name = "patient")]
fn main() -> ExitCode {
    ExitCode::from(3)
}
