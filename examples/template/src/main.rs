//! `nightly load FOLDER` loads the CSV files of a folder. `nightly doctor`, `nightly dq run`, `nightly catalogue` and others are the
//! commands for operators.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use obs_runtime::cli;

#[derive(Parser)]
enum Command {
    /// Loads the CSV files of a folder.
    Load {
        /// The folder.
        folder: PathBuf,
        /// Only reads the files.
        #[arg(long)]
        dry_run: bool,
    },
    #[command(flatten)]
    Obs(cli::Command),
}

#[tokio::main]
async fn main() -> ExitCode {
    // Counts which arguments people give: cli.command.argument.
    let command: Command = cli::parse();
    let _guard = match obs_runtime::init!() {
        Ok(guard) => Some(guard),
        // `config` and `doctor` show what is wrong.
        Err(_) if matches!(&command, Command::Obs(command) if !command.needs_init()) => None,
        Err(error) => {
            eprintln!("error: {error}");
            return ExitCode::FAILURE;
        }
    };
    match command {
        Command::Load { folder, dry_run } => match nightly::load(&folder, dry_run).await {
            Ok(_) => ExitCode::SUCCESS,
            // Where the log goes to a terminal, one line says why.
            Err(_) => ExitCode::FAILURE,
        },
        Command::Obs(command) => command.run(),
    }
}
