//! What is wrong with a configuration.

use std::fmt;

/// Everything that is wrong with the configuration, at once.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError {
    /// One for each variable whose value is not allowed.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self.problems.len() {
            1 => "the configuration has a problem:",
            _ => "the configuration has problems:",
        })?;
        self.problems.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

/// A variable whose value is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The variable.
    pub variable: &'static str,
    /// Its value, without what looks like a secret.
    pub value: String,
    /// What is allowed.
    pub allowed: &'static str,
    /// The allowed value that is nearest to it, if any is near.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value, allowed, nearest } = self;
        write!(formatter, "{variable}: `{}` is not allowed; allowed: {allowed}", value.escape_debug())?;
        nearest.iter().try_for_each(|nearest| write!(formatter, " (did you mean `{nearest}`?)"))
    }
}
