//! What Kubernetes and systemd need to know of a program: arguments and variables of its commands.

use crate::program::generate::declared::Declared;

/// Arguments and variables of the commands.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct DeploymentOptions {
    /// `ENVIRONMENT` of the commands.
    #[arg(long = "environment", value_name = "NAME")]
    pub environment_name: Option<String>,
    /// Arguments that start a command: `nightly=load --all`. May be given several times. By default none.
    #[arg(long = "arguments", value_name = "COMMAND=ARGUMENTS")]
    pub arguments: Vec<String>,
    /// A variable of all commands: `LOG_LEVEL=DEBUG`. May be given several times. Not for secrets: it stands in the files.
    #[arg(long = "variable", value_name = "NAME=VALUE")]
    pub variables: Vec<String>,
}

impl DeploymentOptions {
    /// Whether the arguments are those of commands, and the variables have names.
    ///
    /// # Errors
    /// A sentence that names the first that is wrong.
    pub fn check(&self, declared: &Declared) -> Result<(), String> {
        for argument in &self.arguments {
            let name = argument.split_once('=').map(|(name, _)| name);
            if !declared.commands.iter().any(|command| Some(command.name.as_str()) == name) {
                let names: Vec<_> = declared.commands.iter().map(|command| command.name.as_str()).collect();
                return Err(format!(
                    "--arguments {argument}: expected COMMAND=ARGUMENTS; the commands are {}",
                    names.join(", ")
                ));
            }
        }
        for variable in &self.variables {
            let name = variable.split_once('=').map(|(name, _)| name).unwrap_or_default();
            let is_name = |name: &str| name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            if name.is_empty() || !is_name(name) || variable.chars().any(char::is_control) {
                return Err(format!("--variable {name}: expected NAME=VALUE on one line"));
            }
        }
        Ok(())
    }

    /// The arguments that start a command.
    pub fn arguments_of(&self, command: &str) -> Vec<String> {
        let of_command = self.arguments.iter().filter_map(|argument| argument.split_once('='));
        let of_command = of_command.filter(|(name, _)| *name == command);
        of_command.flat_map(|(_, words)| words.split_whitespace().map(str::to_owned)).collect()
    }

    /// The variables, sorted by name.
    pub fn environment(&self, declared: &Declared) -> Vec<(String, String)> {
        let own = [("SERVICE_NAME", Some(declared.service.clone())), ("ENVIRONMENT", self.environment_name.clone())];
        let own = own.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        let given = self.variables.iter().filter_map(|variable| variable.split_once('='));
        let mut all: Vec<_> = own.chain(given.map(|(name, value)| (name.to_owned(), value.to_owned()))).collect();
        all.sort();
        all
    }
}

/// The error for a program in which nothing runs by a schedule.
pub fn without_schedule(declared: &Declared) -> String {
    format!("no command of {} has a schedule; add `cron` or `every` to its #[tracked_command]", declared.service)
}
