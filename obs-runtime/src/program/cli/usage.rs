//! Counts which arguments a program is given.

use std::collections::BTreeSet;

use clap::parser::ValueSource;
use clap::{ArgMatches, Parser};

use crate::instrument::argument_usage;

/// Parses the command line, as `P::parse()` does, and counts which arguments it has: `cli.command.argument{command,argument}`.
///
/// Only names are recorded, as in `dry_run`, never values, and only what the command line gives: no defaults, and nothing from the
/// environment. They are counted for the command (`#[tracked_command]`) that runs here, or else for the next one that begins. Arguments of
/// subcommands are counted too. Do not also name them in `args(…)` of the command, which counts them by itself.
///
/// ```no_run
/// use obs_runtime::tracked_command;
///
/// #[derive(clap::Parser)]
/// struct Cli {
///     /// Only says what it would do.
///     #[arg(long)]
///     dry_run: bool,
/// }
///
/// #[tracked_command]
/// fn load(cli: &Cli) {
///     println!("{}", cli.dry_run);
/// }
///
/// fn main() -> Result<(), obs_runtime::InitError> {
///     let cli: Cli = obs_runtime::cli::parse();
///     let _guard = obs_runtime::init!()?;
///     load(&cli);
///     Ok(())
/// }
/// ```
///
/// On wrong use, and for `--help` and `--version`, it prints a message and ends the process, as clap does: by [`exit`](crate::exit), so
/// that a running command ends too. Call it before the command begins, as above: a `main` that is a command itself has run
/// successfully when somebody asked for `--help`, and a check of the last success does not see that the job did not run.
#[must_use]
#[track_caller]
pub fn parse<P: Parser>() -> P {
    let mut command = P::command();
    let parsed = command.try_get_matches_from_mut(std::env::args_os()).and_then(|mut matches| {
        let names = given(&command, &matches);
        P::from_arg_matches_mut(&mut matches).map(|parsed| (parsed, names))
    });
    match parsed {
        Ok((parsed, names)) => {
            argument_usage::given(names);
            parsed
        }
        Err(error) => {
            let error = error.format(&mut command);
            let _ = error.print();
            crate::exit(error.exit_code())
        }
    }
}

/// Counts which arguments a command line has, for a program that parses it by itself. See [`parse`].
///
/// ```
/// let mut command = clap::Command::new("load").arg(clap::arg!(--"dry-run"));
/// let matches = command.try_get_matches_from_mut(["load", "--dry-run"])?;
/// obs_runtime::cli::count_arguments(&command, &matches);
/// # Ok::<_, clap::Error>(())
/// ```
#[track_caller]
pub fn count_arguments(command: &clap::Command, matches: &ArgMatches) {
    argument_usage::given(given(command, matches));
}

/// The names of the arguments that the command line gives, those of subcommands included.
fn given(command: &clap::Command, matches: &ArgMatches) -> Vec<String> {
    let mut names = BTreeSet::new();
    let (mut command, mut matches) = (command, matches);
    loop {
        let is_given = |name: &&str| {
            matches.try_contains_id(name).is_ok() && matches.value_source(name) == Some(ValueSource::CommandLine)
        };
        let arguments = command.get_arguments().map(|argument| argument.get_id().as_str());
        names.extend(arguments.filter(is_given).map(str::to_owned));
        let Some((name, inner)) = matches.subcommand() else { break };
        let Some(subcommand) = command.find_subcommand(name) else { break };
        (command, matches) = (subcommand, inner);
    }
    names.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use clap::{Arg, ArgAction, Command};

    use super::*;

    #[test]
    fn names_of_the_command_line_are_given() {
        let flag = |name: &'static str| Arg::new(name).long(name).action(ArgAction::SetTrue);
        let mut command = Command::new("job")
            .arg(flag("verbose").global(true))
            .arg(Arg::new("project").long("project"))
            .arg(Arg::new("level").long("level").default_value("info"))
            .subcommand(Command::new("load").arg(flag("dry_run")).arg(Arg::new("table").num_args(1..)));
        let mut of = |line: &[&str]| {
            let matches = command.try_get_matches_from_mut(line).unwrap();
            given(&command, &matches)
        };
        assert_eq!(of(&["job"]), [""; 0]);
        assert_eq!(of(&["job", "--project=secret", "load", "users", "orders"]), ["project", "table"]);
        assert_eq!(of(&["job", "load", "--verbose", "--dry_run"]), ["dry_run", "verbose"]);
    }
}
