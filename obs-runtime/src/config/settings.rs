//! What obs was told to do, variable by variable, and by whom; never with a secret.

use std::fmt;

use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::config::validated::Config;
use crate::config::variables::{VARIABLES, Variable};
use crate::redact::redactor::Redactor;

/// One variable's value, where it came from, and what is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// Its value as the variable would be set to it, without what looks like a secret; none when there is none.
    pub value: Option<String>,
    /// Where the value came from.
    pub origin: Origin,
    /// What is allowed.
    pub allowed: &'static str,
    /// What it is when nobody sets it; empty for nothing.
    pub default: &'static str,
    /// One sentence for people.
    pub help: &'static str,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// Nobody said anything.
    Default,
    /// The environment's variable.
    Environment,
    /// The program, by the builder.
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
    /// Each variable's value, in the table's order. Where it came from is told by the configurations at each stage: what the
    /// program has instead of the defaults, and that with what the environment says.
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

    /// Each variable with its value, without what looks like a secret.
    fn values(&self) -> impl Iterator<Item = (&'static Variable, Option<String>)> {
        let redactor = Redactor::new(&self.redact_names, None).with_patterns(&self.redact_patterns);
        VARIABLES.iter().map(move |variable| {
            let value = (variable.show)(self).map(|value| redactor.text(value.into()).into_owned());
            (variable, value)
        })
    }
}

/// As lines of an `.env` file, of what has a value; never with a secret.
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

#[expect(clippy::missing_fields_in_debug, reason = "all are there, by way of the table, so that no secret is")]
impl fmt::Debug for Config {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut map = formatter.debug_struct("Config");
        for (variable, value) in self.values() {
            map.field(variable.name, &value);
        }
        map.field("log_file_format", &self.log_file_format).field("log_file_level", &self.log_file_level);
        map.field("log_sampling", &self.log_sampling);
        map.field("datadog_interval", &self.datadog_interval);
        map.field("datadog_service_checks", &self.datadog_service_checks);
        map.field("datadog_command_events", &self.datadog_command_events);
        map.field("redact_patterns", &self.redact_patterns).field("version", &self.version).finish()
    }
}

/// As a map from variables to values, each as its variable would be set to it; never with a secret.
impl Serialize for Config {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(VARIABLES.len()))?;
        for (variable, value) in self.values() {
            map.serialize_entry(variable.name, &value)?;
        }
        map.end()
    }
}
