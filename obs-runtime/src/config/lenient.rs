//! Goes on with an invalid configuration: each faulty value becomes the default.

use crate::config::problem::Problem;
use crate::config::validated::Config;
use crate::config::variables::VARIABLES;
use crate::redact::redactor::Redactor;

impl Config {
    /// Replaces what [`check`](Self::check) refuses by the values of `defaults`, and those that it refuses too by the defaults
    /// of obs. Returns the problems.
    pub(crate) fn repair(&mut self, defaults: &Self) -> Vec<Problem> {
        let Err(found) = self.check() else { return Vec::new() };
        for defaults in [defaults, &Self::default()] {
            let Err(still) = self.check() else { break };
            for problem in &still.problems {
                if let Some(variable) = VARIABLES.iter().find(|variable| variable.name == problem.variable) {
                    (variable.reset)(self, defaults);
                }
            }
        }
        self.redact_patterns.retain(|pattern| Redactor::check_pattern(pattern).is_ok());
        // What is left is a DSN or a key that is required and missing.
        for left in self.check().err().into_iter().flat_map(|left| left.problems) {
            match left.variable {
                "DATADOG_API_KEY" => self.datadog_enabled = false,
                _ => self.sentry_enabled = false,
            }
        }
        found.problems
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faulty_values_become_the_defaults_and_the_others_stay() {
        let mut config = Config::default().with(|config| {
            config.tracing_sample_rate = 7.0;
            config.max_series = 0;
            config.service_name = String::new();
            config.sentry_enabled = true;
            config.redact_patterns = vec!["(".to_owned(), "EMP".to_owned()];
            config.environment = "prod".to_owned();
        });
        let defaults = Config::default().with(|config| {
            config.service_name = "nightly".to_owned();
            config.max_series = 0;
        });
        let problems: Vec<_> = config.repair(&defaults).iter().map(|problem| problem.variable).collect();
        assert_eq!(
            problems,
            ["TRACING_SAMPLE_RATE", "SENTRY_DSN", "OBS_MAX_SERIES", "SERVICE_NAME", "redact_patterns"]
        );
        assert_eq!((config.tracing_sample_rate, config.max_series, config.sentry_enabled), (0.1, 1000, false));
        assert_eq!((&*config.service_name, &*config.environment), ("nightly", "prod"));
        assert_eq!(config.redact_patterns, ["EMP"]);
        assert_eq!(config.check(), Ok(()));
        assert_eq!(config.repair(&defaults), []);
    }
}
