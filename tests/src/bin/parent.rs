//! A command that runs itself as a child process. Its first argument is the number of generations that follow.

use std::process::Command;

use obs_runtime::{LogContext, tracked_command};

#[tracked_command]
fn generation(left: u32) -> Result<(), Box<dyn std::error::Error>> {
    let passed_on = obs_runtime::child_env();
    let traceparent = passed_on.iter().find(|(name, _)| *name == "TRACEPARENT").map(|(_, value)| &**value);
    tracing::info!(left, traceparent, "here");
    if left > 0 {
        let child = Command::new(std::env::current_exe()?).arg((left - 1).to_string()).envs(passed_on).status()?;
        tracing::info!(left, succeeded = child.success(), "back");
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let _guard = obs_runtime::init_observability()?;
    let left = std::env::args().nth(1).unwrap_or_default().parse()?;
    LogContext::new().field("left_at_start", u64::from(left)).field("token", "hunter2").scope(|| generation(left))
}
