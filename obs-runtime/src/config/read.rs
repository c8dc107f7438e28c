//! Reads the configuration from environment variables.

use std::borrow::Cow;
use std::ffi::OsString;

use crate::config::filter::{LogFilter, LogFilterError};
use crate::config::problem::{ConfigError, Problem};
use crate::config::validated::Config;
use crate::config::variables::VARIABLES;

/// The result of reading variables.
#[derive(Debug, Default)]
pub(crate) struct ReadVariables {
    /// Names of the variables that are set and valid.
    pub(crate) set: Vec<&'static str>,
    /// Problems of the invalid variables.
    pub(crate) problems: Vec<Problem>,
    /// Problems of the invalid variables of OpenTelemetry, which are no errors.
    pub(crate) warnings: Vec<Problem>,
    /// `RUST_LOG`, if it applies, and what is wrong with it.
    pub(crate) rust_log: Option<(String, Vec<LogFilterError>)>,
}

impl Config {
    /// Reads the configuration from the environment variables listed in [`VARIABLES`]. An invalid variable of OpenTelemetry,
    /// `OTEL_…`, is no error: it counts as not set.
    ///
    /// # Errors
    /// Returns all problems at once, each with the variable, its redacted value and the allowed values.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// Reads the configuration from the variables that `lookup` returns. An empty value counts as not set. Surrounding spaces
    /// and quotes, as in `.env` files, are removed.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    ///
    /// ```
    /// use obs_runtime::config::{Config, MetricsPort};
    ///
    /// let config = Config::from_lookup(|name| (name == "PROMETHEUS_PORT").then(|| "9100".into()))?;
    /// assert_eq!(config.prometheus_port, MetricsPort::Port(9100));
    ///
    /// let error = Config::from_lookup(|name| (name == "LOG_FORMAT").then(|| "jsno".into())).unwrap_err();
    /// assert_eq!(error.problems[0].nearest.as_deref(), Some("json"));
    /// # Ok::<_, obs_runtime::config::ConfigError>(())
    /// ```
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        Self::default().updated_by(lookup)
    }

    /// Replaces the values of all variables that are set.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn updated_by(self, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let mut config = self;
        let ReadVariables { problems, .. } = config.read(lookup);
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// Sets the values of all variables that are set and valid.
    pub(crate) fn read(&mut self, lookup: impl Fn(&str) -> Option<OsString>) -> ReadVariables {
        let mut read = ReadVariables::default();
        for variable in VARIABLES {
            let Some(value) = lookup(variable.name) else { continue };
            let problems = if variable.lenient { &mut read.warnings } else { &mut read.problems };
            let Some(value) = value.to_str() else {
                problems.push(variable.problem(&value.to_string_lossy(), None));
                continue;
            };
            let value = unquoted(value);
            if value.is_empty() {
                continue;
            }
            match (variable.set)(self, &value) {
                Ok(()) => read.set.push(variable.name),
                Err(nearest) => problems.push(variable.problem(&value, nearest.as_deref())),
            }
        }
        let is_given = |read: &ReadVariables, name: &str| {
            read.set.contains(&name) || read.problems.iter().any(|problem| problem.variable == name)
        };
        if self.datadog_agentless == Some(true)
            && read.set.contains(&"DATADOG_AGENTLESS")
            && !is_given(&read, "DATADOG_ENABLED")
        {
            self.datadog_enabled = true;
            read.set.push("DATADOG_ENABLED");
        }
        if !is_given(&read, "LOG_LEVEL") {
            read.rust_log = lookup("RUST_LOG")
                .and_then(|value| value.into_string().ok())
                .filter(|text| !text.trim().is_empty())
                .map(|text| {
                    let (filter, problems) = LogFilter::of_rust_log(&text);
                    self.log_level = filter;
                    read.set.push("LOG_LEVEL");
                    (text, problems)
                });
        }
        read
    }
}

/// Removes surrounding spaces, a pair of quotes, and a comment after the quotes. Within double quotes, `\"` stands for a quote.
fn unquoted(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else { return value.into() };
    let inside = value.strip_suffix(quote).and_then(|value| value.strip_prefix(quote)).or_else(|| {
        let (inside, rest) = value.strip_prefix(quote)?.split_once(quote)?;
        let comment = rest.trim_start();
        (rest.len() > comment.len() && comment.starts_with('#')).then_some(inside)
    });
    match inside.map(str::trim) {
        Some(inside) if quote == '"' && inside.contains("\\\"") => inside.replace("\\\"", "\"").into(),
        inside => inside.unwrap_or(value).into(),
    }
}

#[cfg(test)]
mod tests;
