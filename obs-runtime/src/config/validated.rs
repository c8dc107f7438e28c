//! The configuration: from the environment, overridable in the builder, validated as a whole.

use std::borrow::Cow;
use std::ffi::OsString;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::level::Level;
use crate::base::secret::Secret;
use crate::config::agent_address;
use crate::config::agent_address::AgentAddress;
use crate::config::budgets::Budget;
use crate::config::filter::LogFilter;
use crate::config::parse;
use crate::config::problem::ConfigError;
use crate::config::problem::Problem;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::config::sampling::LogSampling;
use crate::config::variables::VARIABLES;
use crate::redact::redactor::Redactor;

/// What obs was told to do.
///
/// Its `Debug`, `Display` and `Serialize` show every variable's value and never a secret.
#[derive(Clone, PartialEq)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub struct Config {
    /// `LOG_LEVEL`: which lines are logged.
    pub log_level: LogFilter,
    /// `LOG_FORMAT`
    pub log_format: LogFormat,
    /// `LOG_FILE`
    pub log_file: Option<PathBuf>,
    /// How lines are written to the file, from the builder.
    pub log_file_format: LogFormat,
    /// Which lines are written to the file, from the builder; those of `log_level` without it.
    pub log_file_level: Option<LogFilter>,
    /// How many of the lines about a hot function are written, from the builder; all without it.
    pub log_sampling: Option<LogSampling>,
    /// `METRICS_ENABLED`
    pub metrics_enabled: bool,
    /// `PROMETHEUS_PORT`
    pub prometheus_port: u16,
    /// `PROMETHEUS_BIND`
    pub prometheus_bind: IpAddr,
    /// `PROMETHEUS_TEXTFILE_DIR`
    pub prometheus_textfile_dir: Option<PathBuf>,
    /// `DATADOG_ENABLED`
    pub datadog_enabled: bool,
    /// `DATADOG_API_KEY`
    pub datadog_api_key: Option<Secret<String>>,
    /// `DATADOG_SITE`
    pub datadog_site: String,
    /// `DATADOG_SERVICE`; `SERVICE_NAME` when there is none.
    pub datadog_service: Option<String>,
    /// `DATADOG_ENV`; `ENVIRONMENT` when there is none.
    pub datadog_env: Option<String>,
    /// `DD_VERSION`; the program's version when there is none.
    pub datadog_version: Option<String>,
    /// `DD_AGENT_HOST`
    pub datadog_agent_host: String,
    /// `DD_DOGSTATSD_PORT`
    pub datadog_agent_port: u16,
    /// `DD_DOGSTATSD_URL`: instead of host and port.
    pub datadog_agent_url: Option<AgentAddress>,
    /// `DD_ENTITY_ID`
    pub datadog_entity_id: Option<String>,
    /// How often Datadog's agent gets what has come, from the builder.
    pub datadog_interval: Duration,
    /// Whether health checks are service checks in Datadog, from the builder.
    pub datadog_service_checks: bool,
    /// Whether a command that fails is an event in Datadog, from the builder.
    pub datadog_command_events: bool,
    /// `PROMETHEUS_TEXTFILE_EXPIRY`; none for never.
    pub prometheus_textfile_expiry: Option<Duration>,
    /// `PROMETHEUS_PUSHGATEWAY_URL`
    pub prometheus_pushgateway_url: Option<PushgatewayUrl>,
    /// The label `instance` of the group that is pushed, from the builder.
    pub prometheus_pushgateway_instance: Option<String>,
    /// `SENTRY_ENABLED`
    pub sentry_enabled: bool,
    /// `SENTRY_DSN`
    pub sentry_dsn: Option<Secret<String>>,
    /// `SENTRY_ENVIRONMENT`; [`environment`](Self::environment) where it is not set.
    pub sentry_environment: Option<String>,
    /// `SENTRY_RELEASE`; the program's name@version where it is not set.
    pub sentry_release: Option<String>,
    /// `SENTRY_TRACES_SAMPLE_RATE`
    pub sentry_traces_sample_rate: f64,
    /// `COST_TRACKING_ENABLED`
    pub cost_tracking_enabled: bool,
    /// `COST_ALERT_THRESHOLD_USD`
    pub cost_alert_threshold_usd: f64,
    /// `BIGQUERY_USD_PER_TIB`
    pub bigquery_usd_per_tib: f64,
    /// `BIGQUERY_USD_PER_SLOT_HOUR`
    pub bigquery_usd_per_slot_hour: f64,
    /// `HEALTH_CHECK_ENABLED`
    pub health_check_enabled: bool,
    /// `TRACING_ENABLED`
    pub tracing_enabled: bool,
    /// `TRACING_SAMPLE_RATE`
    pub tracing_sample_rate: f64,
    /// `HEALTH_CHECK_INTERVAL_SECONDS`
    pub health_check_interval: Duration,
    /// `SERVICE_NAME`
    pub service_name: String,
    /// `ENVIRONMENT`
    pub environment: String,
    /// `OBS_FLUSH_TIMEOUT`
    pub flush_timeout: Duration,
    /// `OBS_MAX_SERIES`
    pub max_series: usize,
    /// `OBS_REDACT_NAMES`
    pub redact_names: Vec<String>,
    /// Regular expressions of what else must not leave, from the builder.
    pub redact_patterns: Vec<String>,
    /// `OBS_REDACTION_KEY`
    pub redaction_key: Option<Secret<String>>,
    /// `OBS_STATE_DIR`
    pub state_dir: Option<PathBuf>,
    /// `OBS_BUDGETS`
    pub budgets: Vec<Budget>,
    /// `OBS_BUDGET_TIMEZONE`
    pub budget_timezone: String,
    /// `BIGQUERY_EMULATOR_HOST`
    pub bigquery_emulator_host: Option<String>,
    /// The program's version, from the builder.
    pub version: String,
}

/// What variables said.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The variables that were set.
    pub(crate) set: Vec<&'static str>,
    /// Those that say what is not allowed.
    pub(crate) problems: Vec<Problem>,
}

/// How a log line is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl fmt::Display for LogFormat {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Json => "json",
            Self::Text => "text",
        })
    }
}

impl Config {
    /// The configuration that the environment's variables give; [`VARIABLES`] lists them.
    ///
    /// # Errors
    /// All problems at once, each with variable, value (secrets masked) and what is allowed.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(|name| std::env::var_os(name))
    }

    /// The configuration that these variables give. An empty value is none; spaces and quotes around a value, as they
    /// come from `.env` files, do not belong to it.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    ///
    /// ```
    /// use obs_runtime::config::Config;
    ///
    /// let config = Config::from_lookup(|name| (name == "PROMETHEUS_PORT").then(|| "9100".into()))?;
    /// assert_eq!(config.prometheus_port, 9100);
    ///
    /// let error = Config::from_lookup(|name| (name == "LOG_FORMAT").then(|| "jsno".into())).unwrap_err();
    /// assert_eq!(error.problems[0].nearest.as_deref(), Some("json"));
    /// # Ok::<_, obs_runtime::config::ConfigError>(())
    /// ```
    pub fn from_lookup(lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        Self::default().updated_by(lookup)
    }

    /// This configuration with what the variables say instead, where they say something.
    ///
    /// # Errors
    /// As [`from_env`](Self::from_env).
    pub fn updated_by(self, lookup: impl Fn(&str) -> Option<OsString>) -> Result<Self, ConfigError> {
        let mut config = self;
        let Read { set: _, problems } = config.read(lookup);
        if problems.is_empty() { Ok(config) } else { Err(ConfigError { problems }) }
    }

    /// Takes over what the variables say, where they say something that is allowed.
    pub(crate) fn read(&mut self, lookup: impl Fn(&str) -> Option<OsString>) -> Read {
        let mut read = Read::default();
        for variable in VARIABLES {
            let Some(value) = lookup(variable.name) else { continue };
            let Some(value) = value.to_str() else {
                read.problems.push(variable.problem(&value.to_string_lossy(), None));
                continue;
            };
            let value = unquoted(value);
            if value.is_empty() {
                continue;
            }
            match (variable.set)(self, &value) {
                Ok(()) => read.set.push(variable.name),
                Err(nearest) => read.problems.push(variable.problem(&value, nearest.as_deref())),
            }
        }
        read
    }

    /// Whether every value is one that its variable may have: a program can set any number.
    ///
    /// # Errors
    /// All problems at once, as [`from_env`](Self::from_env).
    pub fn check(&self) -> Result<(), ConfigError> {
        let usd = |usd: f64| usd.is_finite() && usd >= 0.0;
        let seconds = self.flush_timeout.as_secs_f64();
        let rate = |rate: f64| (0.0..=1.0).contains(&rate);
        let pushgateway = self.prometheus_pushgateway_url.as_ref();
        let dsn = self.sentry_dsn.as_ref().map(|dsn| parse::dsn(dsn.expose()).is_ok());
        let problems: Vec<Problem> = [
            ("TRACING_SAMPLE_RATE", rate(self.tracing_sample_rate), self.tracing_sample_rate.to_string()),
            (
                "PROMETHEUS_PUSHGATEWAY_URL",
                pushgateway.is_none_or(|url| url.parts().is_some()),
                pushgateway.map(ToString::to_string).unwrap_or_default(),
            ),
            ("COST_ALERT_THRESHOLD_USD", usd(self.cost_alert_threshold_usd), self.cost_alert_threshold_usd.to_string()),
            ("BIGQUERY_USD_PER_TIB", usd(self.bigquery_usd_per_tib), self.bigquery_usd_per_tib.to_string()),
            (
                "BIGQUERY_USD_PER_SLOT_HOUR",
                usd(self.bigquery_usd_per_slot_hour),
                self.bigquery_usd_per_slot_hour.to_string(),
            ),
            ("OBS_BUDGETS", self.budgets.iter().all(|budget| usd(budget.usd)), format!("{:?}", self.budgets)),
            ("SENTRY_DSN", dsn.unwrap_or(!self.sentry_enabled), String::new()),
            (
                "SENTRY_TRACES_SAMPLE_RATE",
                rate(self.sentry_traces_sample_rate),
                self.sentry_traces_sample_rate.to_string(),
            ),
            ("OBS_FLUSH_TIMEOUT", seconds > 0.0, format!("{seconds}s")),
            ("HEALTH_CHECK_INTERVAL_SECONDS", !self.health_check_interval.is_zero(), "0".to_owned()),
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
        let patterns = self.redact_patterns.iter().filter_map(|pattern| {
            let why = Redactor::pattern_problem(pattern)?;
            let value = format!("{pattern}: {why}");
            Some(Problem { variable: "redact_patterns", value, allowed: "regular expressions", nearest: None })
        });
        let problems: Vec<Problem> = problems.into_iter().chain(patterns).collect();
        if problems.is_empty() { Ok(()) } else { Err(ConfigError { problems }) }
    }
}

impl Config {
    /// Where the Datadog agent is: the URL where there is one, host and port otherwise.
    #[must_use]
    pub fn datadog_agent(&self) -> AgentAddress {
        let (host, port) = (self.datadog_agent_host.clone(), self.datadog_agent_port);
        self.datadog_agent_url.clone().unwrap_or(AgentAddress::Udp { host, port })
    }

    /// The folder of what outlives a run: `OBS_STATE_DIR`, or the one that the platform has for it; none where the
    /// platform's cannot be told.
    #[cfg(feature = "bigquery")]
    #[must_use]
    pub fn state_folder(&self) -> Option<PathBuf> {
        let variable = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let platform = || {
            if cfg!(windows) {
                return variable("LOCALAPPDATA");
            }
            if cfg!(target_os = "macos") {
                return variable("HOME").map(|home| home.join("Library/Application Support"));
            }
            let state = variable("XDG_STATE_HOME").filter(|folder| folder.is_absolute());
            state.or_else(|| variable("HOME").map(|home| home.join(".local/state")))
        };
        self.state_dir.clone().or_else(|| platform().map(|folder| folder.join("obs")))
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            log_level: LogFilter::from(Level::Info),
            log_format: LogFormat::Json,
            log_file: None,
            log_file_format: LogFormat::Json,
            log_file_level: None,
            log_sampling: None,
            metrics_enabled: true,
            prometheus_port: 8000,
            prometheus_bind: IpAddr::from([127, 0, 0, 1]),
            prometheus_textfile_dir: None,
            prometheus_textfile_expiry: Some(Duration::from_hours(90 * 24)),
            prometheus_pushgateway_url: None,
            prometheus_pushgateway_instance: None,
            datadog_enabled: false,
            datadog_api_key: None,
            datadog_site: "datadoghq.com".to_owned(),
            datadog_service: None,
            datadog_env: None,
            datadog_version: None,
            datadog_agent_host: "127.0.0.1".to_owned(),
            datadog_agent_port: agent_address::DEFAULT_PORT,
            datadog_agent_url: None,
            datadog_entity_id: None,
            datadog_interval: Duration::from_secs(10),
            datadog_service_checks: true,
            datadog_command_events: false,
            sentry_enabled: false,
            sentry_dsn: None,
            sentry_environment: None,
            sentry_release: None,
            sentry_traces_sample_rate: 0.1,
            cost_tracking_enabled: true,
            cost_alert_threshold_usd: 100.0,
            bigquery_usd_per_tib: 6.25,
            bigquery_usd_per_slot_hour: 0.06,
            health_check_enabled: true,
            tracing_enabled: false,
            tracing_sample_rate: 0.1,
            health_check_interval: Duration::from_mins(1),
            service_name: "decentclaude".to_owned(),
            environment: "dev".to_owned(),
            flush_timeout: Duration::from_secs(2),
            max_series: 1000,
            redact_names: Vec::new(),
            redact_patterns: Vec::new(),
            redaction_key: None,
            state_dir: None,
            budgets: Vec::new(),
            budget_timezone: "UTC".to_owned(),
            bigquery_emulator_host: None,
            version: "unknown".to_owned(),
        }
    }
}

/// The value without the spaces and the pair of quotes around it, and without the comment that people write behind those.
/// Within double quotes `\"` is a quote.
fn unquoted(value: &str) -> Cow<'_, str> {
    let value = value.trim();
    let Some(quote) = value.chars().next().filter(|first| matches!(first, '"' | '\'')) else { return value.into() };
    let inside = value.strip_suffix(quote).and_then(|value| value.strip_prefix(quote)).or_else(|| {
        let (inside, rest) = value[1..].split_once(quote)?;
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
