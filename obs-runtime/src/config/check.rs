//! Validates values that the program has set, as their types allow more than their variables do.

use crate::base::secret::MASK;
use crate::config::parse;
use crate::config::problem::{ConfigError, Problem};
use crate::config::validated::Config;
use crate::config::variables::VARIABLES;
use crate::redact::patterns::MAX_PATTERNS;
use crate::redact::redactor::Redactor;

impl Config {
    /// A key is needed where the API is called, and goes into a header.
    fn datadog_key_is_allowed(&self) -> bool {
        let is_needed = self.datadog_enabled && self.datadog_agentless == Some(true);
        self.datadog_api_key.as_ref().map_or(!is_needed, |key| parse::is_api_key(key.expose()))
    }

    /// Checks that every value is allowed for its variable.
    ///
    /// # Errors
    /// Returns all problems at once, as [`from_env`](Self::from_env) does.
    pub fn check(&self) -> Result<(), ConfigError> {
        let usd = |usd: f64| usd.is_finite() && usd >= 0.0;
        let seconds = self.flush_timeout.as_secs_f64();
        let rate = |rate: f64| (0.0..=1.0).contains(&rate);
        let pushgateway = self.prometheus_pushgateway_url.as_ref();
        let dsn = self.sentry_dsn.as_ref().map(|dsn| parse::dsn(dsn.expose()).is_ok());
        // The value of a secret is masked, also here.
        let is_set = |is_set: bool| if is_set { MASK.to_owned() } else { String::new() };
        let is_url = |url: Option<&String>| url.is_none_or(|url| parse::http_url(url).is_ok());
        let problems: Vec<Problem> = [
            ("TRACING_SAMPLE_RATE", rate(self.tracing_sample_rate), self.tracing_sample_rate.to_string()),
            (
                "PROMETHEUS_PUSHGATEWAY_URL",
                pushgateway.is_none_or(|url| url.parts().is_some()),
                pushgateway.map(ToString::to_string).unwrap_or_default(),
            ),
            ("COST_ALERT_THRESHOLD_USD", usd(self.cost_alert_threshold_usd), self.cost_alert_threshold_usd.to_string()),
            ("BIGQUERY_USD_PER_TIB", self.bigquery_usd_per_tib.are_valid(), self.bigquery_usd_per_tib.to_string()),
            (
                "BIGQUERY_USD_PER_SLOT_HOUR",
                self.bigquery_usd_per_slot_hour.are_valid(),
                self.bigquery_usd_per_slot_hour.to_string(),
            ),
            (
                "BIGQUERY_STATEMENT_USD_PER_TIB",
                self.bigquery_statement_usd_per_tib.are_valid(),
                self.bigquery_statement_usd_per_tib.to_string(),
            ),
            ("OBS_BUDGETS", self.budgets.iter().all(|budget| usd(budget.usd)), format!("{:?}", self.budgets)),
            ("SENTRY_DSN", dsn.unwrap_or(!self.sentry_enabled), is_set(self.sentry_dsn.is_some())),
            ("SENTRY_SAMPLE_RATE", rate(self.sentry_sample_rate), self.sentry_sample_rate.to_string()),
            (
                "SENTRY_TRACES_SAMPLE_RATE",
                rate(self.sentry_traces_sample_rate),
                self.sentry_traces_sample_rate.to_string(),
            ),
            ("OBS_FLUSH_TIMEOUT", seconds > 0.0, format!("{seconds}s")),
            ("HEALTH_CHECK_INTERVAL_SECONDS", !self.health_check_interval.is_zero(), "0".to_owned()),
            ("DATADOG_API_KEY", self.datadog_key_is_allowed(), is_set(self.datadog_api_key.is_some())),
            ("DD_DD_URL", is_url(self.datadog_url.as_ref()), self.datadog_url.clone().unwrap_or_default()),
            ("DD_URL", is_url(self.dd_url.as_ref()), self.dd_url.clone().unwrap_or_default()),
            ("DATADOG_SERVICE", self.datadog_service.as_deref() != Some(""), String::new()),
            ("DATADOG_ENV", self.datadog_env.as_deref() != Some(""), String::new()),
            ("DD_DOGSTATSD_PORT", self.datadog_agent_port > 0, self.datadog_agent_port.to_string()),
            ("OBS_MAX_SERIES", self.max_series > 0, self.max_series.to_string()),
            ("SERVICE_NAME", !self.service_name.is_empty(), self.service_name.clone()),
            ("ENVIRONMENT", !self.environment.is_empty(), self.environment.clone()),
        ]
        .into_iter()
        .filter(|(_, allowed, _)| !allowed)
        .filter_map(|(name, _, value)| {
            let variable = VARIABLES.iter().find(|variable| variable.name == name)?;
            Some(variable.problem(&value, None))
        })
        .collect();
        let count = self.redact_patterns.len();
        let too_many = (count > MAX_PATTERNS).then(|| {
            let value = format!("{count} patterns");
            Problem { variable: "redact_patterns", value, allowed: "at most 500 regular expressions", nearest: None }
        });
        let patterns = self.redact_patterns.iter().take(MAX_PATTERNS).filter_map(|pattern| {
            let why = Redactor::check_pattern(pattern).err()?;
            let value = format!("{pattern}: {why}");
            Some(Problem { variable: "redact_patterns", value, allowed: "regular expressions", nearest: None })
        });
        let problems: Vec<Problem> = problems.into_iter().chain(too_many).chain(patterns).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}
