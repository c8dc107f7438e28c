//! The effective configuration, variable by variable, with the origin of each value and without secrets.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::config::validated::Config;
use crate::config::variable::Variable;
use crate::config::variables::VARIABLES;
use crate::redact::redactor::Redactor;

/// The value of a variable, its origin and its description.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Setting {
    /// Name of the environment variable.
    pub name: &'static str,
    /// The value as it would be written in the variable, redacted; `None` if not set.
    pub value: Option<String>,
    /// The origin of the value.
    pub origin: Origin,
    /// Description of the allowed values.
    pub allowed: &'static str,
    /// The default; empty if there is none.
    pub default: &'static str,
    /// One sentence of help.
    pub help: &'static str,
}

/// The origin of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[non_exhaustive]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// The default.
    Default,
    /// The environment variable.
    Environment,
    /// The builder.
    Builder,
}

impl Origin {
    /// `default`, `environment` or `builder`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Environment => "environment",
            Self::Builder => "builder",
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_str())
    }
}

impl Config {
    /// The value of each variable, in the order of [`VARIABLES`]. The origin of a value is found by comparing the configurations
    /// of each stage: the program's defaults, then those with the environment, then `self`.
    pub(crate) fn settings(&self, defaults: &Self, with_environment: &Self, in_environment: &[&str]) -> Vec<Setting> {
        let preset = Self::default();
        let origin = |variable: &Variable| {
            let same = variable.same;
            if !same(self, with_environment) {
                Origin::Builder
            } else if in_environment.contains(&variable.name) {
                Origin::Environment
            } else if same(defaults, &preset) {
                Origin::Default
            } else {
                Origin::Builder
            }
        };
        let values = self.values();
        values
            .map(|(variable, value)| {
                let Variable { name, allowed, default, help, .. } = *variable;
                Setting { name, value, origin: origin(variable), allowed, default, help }
            })
            .collect()
    }

    /// Each variable with its redacted value.
    fn values(&self) -> impl Iterator<Item = (&'static Variable, Option<String>)> {
        let redactor = Redactor::new(&self.redact_names, None).with_patterns(&self.redact_patterns);
        VARIABLES.iter().map(move |variable| {
            let value = (variable.get)(self).map(|value| redactor.setting(value.into()).into_owned());
            (variable, value)
        })
    }
}

/// Writes the variables that have a value as lines of an `.env` file, redacted.
impl fmt::Display for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (variable, value) in self.values() {
            if let Some(value) = value {
                writeln!(formatter, "{}={value}", variable.name)?;
            }
        }
        Ok(())
    }
}

#[expect(clippy::missing_fields_in_debug, reason = "the fields are shown by variable, so that secrets are masked")]
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_struct("Config");
        for (variable, value) in self.values() {
            map.field(variable.name, &value);
        }
        map.field("log_file_format", &self.log_file_format).field("log_file_level", &self.log_file_level);
        map.field("log_file_mode", &format_args!("{:#o}", self.log_file_mode));
        map.field("log_sampling", &self.log_sampling);
        map.field("datadog_interval", &self.datadog_interval);
        map.field("datadog_service_checks", &self.datadog_service_checks);
        map.field("datadog_command_events", &self.datadog_command_events);
        map.field("redact_patterns", &self.redact_patterns).field("version", &self.version).finish()
    }
}

/// Serialises as a map from variables to values, redacted.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(VARIABLES.len()))?;
        for (variable, value) in self.values() {
            map.serialize_entry(variable.name, &value)?;
        }
        map.end()
    }
}
