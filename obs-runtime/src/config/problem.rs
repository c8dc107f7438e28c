//! Errors of the configuration.

use std::fmt;

/// The configuration is invalid. Lists all problems, not just the first.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub struct ConfigError {
    /// One problem for each invalid value.
    pub problems: Vec<Problem>,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("invalid configuration:")?;
        self.problems.iter().try_for_each(|problem| write!(formatter, "\n  {problem}"))
    }
}

/// A value of the configuration that is not allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Problem {
    /// Name of the environment variable.
    pub variable: &'static str,
    /// Its value, redacted; empty if there is none and one is required.
    pub value: String,
    /// Description of the allowed values.
    pub allowed: &'static str,
    /// The allowed value that was probably meant, if there is one.
    pub nearest: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, value, allowed, nearest } = self;
        if value.is_empty() {
            // With a word behind the name of a secret, that word would be redacted.
            write!(formatter, "there is no {variable}; allowed: {allowed}")?;
        } else {
            write!(formatter, "{variable}: `{}` is not allowed; allowed: {allowed}", value.escape_debug())?;
        }
        nearest.iter().try_for_each(|nearest| write!(formatter, " (did you mean `{nearest}`?)"))
    }
}
