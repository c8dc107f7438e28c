//! Commands whose schedules meet changes of the clock and the ends of months. Its argument is the one to run; with `obs` it runs a
//! command for operators.

use obs_runtime::tracked_command;

/// There is no such time on the last Sunday of March, and two on the last Sunday of October.
#[tracked_command(cron = "30 2 * * *", timezone = "Europe/Berlin", margin = "10m")]
fn at_half_past_two() {}

#[tracked_command(cron = "0 3 * * *", timezone = "Europe/Berlin", margin = "10m")]
fn at_three() {}

#[tracked_command(cron = "30 23 31 * *", margin = "10m")]
fn at_the_end() {}

/// Commands for operators.
#[derive(clap::Parser)]
struct Obs {
    #[command(subcommand)]
    command: obs_runtime::cli::Command,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let command = std::env::args().nth(1).unwrap_or_default();
    if command == "obs" {
        let Obs { command } = clap::Parser::parse_from(std::env::args_os().skip(1));
        return if command.run() == std::process::ExitCode::SUCCESS { Ok(()) } else { Err("see above".into()) };
    }
    let _guard = obs_runtime::init_observability()?;
    match &*command {
        "at-half-past-two" => at_half_past_two(),
        "at-three" => at_three(),
        "at-the-end" => at_the_end(),
        _ => return Err("unknown command".into()),
    }
    Ok(())
}
