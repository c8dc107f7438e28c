//! A command that runs itself as a child process. Its first argument is the number of generations that follow.

use std::process::Command;

use obs_runtime::{LogContext, tracked_command};

#[tracked_command]
fn generation(left: u32) -> Result<(), Box<dyn std::error::Error>> {
    tracing::info!(left, "here");
    if left > 0 {
        let child = Command::new(std::env::current_exe()?)
            .arg((left - 1).to_string())
            .envs(obs_runtime::child_env())
            .status()?;
        tracing::info!(left, succeeded = child.success(), "back");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    let left = std::env::args().nth(1).unwrap_or_default().parse()?;
    LogContext::new().field("left_at_start", u64::from(left)).field("token", "hunter2").scope(|| generation(left))
}
