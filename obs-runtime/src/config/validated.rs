//! The values of the configuration and their defaults.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::level::Level;
use crate::base::secret::Secret;
use crate::config::agent_address;
use crate::config::agent_address::AgentAddress;
use crate::config::budgets::Budget;
use crate::config::filter::LogFilter;
use crate::config::location_prices::{LocationPrices, NamedPrices};
use crate::config::log_format::LogFormat;
use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::metrics_port::MetricsPort;
use crate::config::otlp::OtelConfig;
use crate::config::pricing_mode::PricingMode;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::config::sampling::LogSampling;
use crate::config::signals::Signals;
use crate::events::program_trace::ProgramTrace;

/// The version of a program that has not given one.
pub const UNKNOWN_VERSION: &str = "unknown";

/// The configuration of obs.
///
/// `Debug`, `Display` and `Serialize` show the value of every variable, with secrets masked.
///
/// ```
/// use obs_runtime::config::Config;
///
/// let config = Config::default().with(|config| config.max_series = 500);
/// assert_eq!(config.max_series, 500);
/// ```
#[derive(Clone, PartialEq)]
#[non_exhaustive]
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct Config {
    /// `LOG_LEVEL`
    pub log_level: LogFilter,
    /// `LOG_FORMAT`
    pub log_format: LogFormat,
    /// `LOG_LAYOUT`
    pub log_layout: LogLayout,
    /// `LOG_TIME`
    pub log_time: LogTime,
    /// `LOG_SPANS`
    pub log_spans: bool,
    /// `LOG_SPAN_CLOSE`
    pub log_span_close: bool,
    /// `LOG_FILE`
    pub log_file: Option<PathBuf>,
    /// Format of the lines in the log file; set in the builder.
    pub log_file_format: LogFormat,
    /// Which lines are written to the log file; set in the builder. Defaults to `log_level`.
    pub log_file_level: Option<LogFilter>,
    /// The mode of a new log file on Unix, less the umask; set in the builder.
    pub log_file_mode: u32,
    /// Sampling of log lines; set in the builder.
    pub log_sampling: Option<LogSampling>,
    /// `METRICS_ENABLED`
    pub metrics_enabled: bool,
    /// `PROMETHEUS_PORT`
    pub prometheus_port: MetricsPort,
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
    /// `DATADOG_AGENTLESS`; `None` for only on a serverless platform without an agent.
    pub datadog_agentless: Option<bool>,
    /// `DD_DD_URL`; defaults to `DD_URL`, then the API of `DATADOG_SITE`.
    pub datadog_url: Option<String>,
    /// `DD_URL`; used if `DD_DD_URL` is not set.
    pub dd_url: Option<String>,
    /// `DD_HOSTNAME`; defaults to the name of the machine.
    pub datadog_hostname: Option<String>,
    /// `DD_SERVICE`; used if `DATADOG_SERVICE` is not set.
    pub dd_service: Option<String>,
    /// `DD_ENV`; used if `DATADOG_ENV` is not set.
    pub dd_env: Option<String>,
    /// `DD_TAGS`, each `name:value`.
    pub dd_tags: Vec<String>,
    /// `DATADOG_SERVICE`; defaults to `DD_SERVICE`, then `SERVICE_NAME`.
    pub datadog_service: Option<String>,
    /// `DATADOG_ENV`; defaults to `DD_ENV`, then `ENVIRONMENT`.
    pub datadog_env: Option<String>,
    /// `DD_VERSION`; defaults to the version of the program.
    pub datadog_version: Option<String>,
    /// `DD_AGENT_HOST`
    pub datadog_agent_host: String,
    /// `DD_DOGSTATSD_PORT`
    pub datadog_agent_port: u16,
    /// `DD_DOGSTATSD_URL`; replaces host and port.
    pub datadog_agent_url: Option<AgentAddress>,
    /// `DD_ENTITY_ID`
    pub datadog_entity_id: Option<String>,
    /// Interval of sending to the Datadog agent; set in the builder.
    pub datadog_interval: Duration,
    /// Whether health checks are sent to Datadog as service checks; set in the builder.
    pub datadog_service_checks: bool,
    /// Whether failed commands are sent to Datadog as events; set in the builder.
    pub datadog_command_events: bool,
    /// `PROMETHEUS_TEXTFILE_EXPIRY`; `None` for never.
    pub prometheus_textfile_expiry: Option<Duration>,
    /// `PROMETHEUS_PUSHGATEWAY_URL`
    pub prometheus_pushgateway_url: Option<PushgatewayUrl>,
    /// `PROMETHEUS_PUSHGATEWAY_INSTANCE`
    pub prometheus_pushgateway_instance: Option<String>,
    /// Upper bounds of the buckets of the program's own histograms that have no unit; set in the builder.
    pub histogram_buckets: Option<Vec<f64>>,
    /// Upper bounds of the buckets of single histograms of the program's own; set in the builder.
    pub histogram_buckets_by_name: Vec<(String, Vec<f64>)>,
    /// Whether the unit that the program describes is added to the name of a histogram in Prometheus; set in the builder.
    pub metric_unit_suffixes: bool,
    /// `SENTRY_ENABLED`
    pub sentry_enabled: bool,
    /// `SENTRY_DSN`
    pub sentry_dsn: Option<Secret<String>>,
    /// `SENTRY_ENVIRONMENT`; defaults to `ENVIRONMENT`.
    pub sentry_environment: Option<String>,
    /// `SENTRY_RELEASE`; defaults to name@version of the program, and to none if the version is not known.
    pub sentry_release: Option<String>,
    /// `SENTRY_DIST`
    pub sentry_dist: Option<String>,
    /// `SENTRY_SAMPLE_RATE`
    pub sentry_sample_rate: f64,
    /// `SENTRY_TRACES_SAMPLE_RATE`
    pub sentry_traces_sample_rate: f64,
    /// `SENTRY_DEBUG`
    pub sentry_debug: bool,
    /// `SENTRY_CA_CERTS`
    pub sentry_ca_certs: Option<PathBuf>,
    /// `SENTRY_TUNNEL`
    pub sentry_tunnel: Option<String>,
    /// `SENTRY_EVENTS_FROM_LOGS`; `None` for off.
    pub sentry_events_from_logs: Option<Level>,
    /// `COST_TRACKING_ENABLED`
    pub cost_tracking_enabled: bool,
    /// `COST_ALERT_THRESHOLD_USD`
    pub cost_alert_threshold_usd: f64,
    /// `BIGQUERY_PRICING`
    pub bigquery_pricing: PricingMode,
    /// `BIGQUERY_USD_PER_TIB`
    pub bigquery_usd_per_tib: LocationPrices,
    /// `BIGQUERY_USD_PER_SLOT_HOUR`
    pub bigquery_usd_per_slot_hour: LocationPrices,
    /// `BIGQUERY_STATEMENT_USD_PER_TIB`
    pub bigquery_statement_usd_per_tib: NamedPrices,
    /// `HEALTH_CHECK_ENABLED`
    pub health_check_enabled: bool,
    /// `TRACING_ENABLED`
    pub tracing_enabled: bool,
    /// `TRACING_SAMPLE_RATE`
    pub tracing_sample_rate: f64,
    /// `TRACING_LEVEL`
    pub tracing_level: LogFilter,
    /// `TRACING_KEEP_ERRORS`
    pub tracing_keep_errors: bool,
    /// `HEALTH_CHECK_INTERVAL_SECONDS`
    pub health_check_interval: Duration,
    /// `SERVICE_NAME`
    pub service_name: String,
    /// `ENVIRONMENT`
    pub environment: String,
    /// `OBS_ENABLED`
    pub enabled: bool,
    /// `OBS_FLUSH_TIMEOUT`
    pub flush_timeout: Duration,
    /// `OBS_SIGNALS`
    pub signals: Signals,
    /// `OBS_SHUTDOWN_GRACE`
    pub shutdown_grace: Duration,
    /// `OBS_MAX_SERIES`
    pub max_series: usize,
    /// `OBS_REDACT_NAMES`
    pub redact_names: Vec<String>,
    /// Regular expressions of further secrets; set in the builder.
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
    /// The variables `OTEL_*`.
    pub otel: OtelConfig,
    /// Version of the program; set in the builder.
    pub version: String,
    /// `OBS_COMMIT`
    pub commit: Option<String>,
    /// The current span of another tracer; set in the builder.
    pub(crate) program_trace: ProgramTrace,
}

impl Config {
    /// Changes values, as in the example above.
    #[must_use]
    pub fn with(mut self, change: impl FnOnce(&mut Self)) -> Self {
        change(&mut self);
        self
    }

    /// The address of the Datadog agent: its URL if set, otherwise host and port.
    #[must_use]
    pub fn datadog_agent(&self) -> AgentAddress {
        let (host, port) = (self.datadog_agent_host.clone(), self.datadog_agent_port);
        self.datadog_agent_url.clone().unwrap_or(AgentAddress::Udp { host, port })
    }

    /// The URL of Datadog's API: `DD_DD_URL`, `DD_URL`, or that of the site. Without a slash at its end.
    #[must_use]
    pub fn datadog_api_url(&self) -> String {
        let url = self.datadog_url.as_ref().or(self.dd_url.as_ref());
        url.map_or_else(|| format!("https://api.{}", self.datadog_site), |url| url.trim_end_matches('/').to_owned())
    }

    /// The folder for state that outlives a run: `OBS_STATE_DIR`, or the platform's folder for state. `None` if that is not
    /// known.
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
            log_layout: LogLayout::Flat,
            log_time: LogTime::Rfc3339,
            log_spans: false,
            log_span_close: false,
            log_file: None,
            log_file_format: LogFormat::Json,
            log_file_level: None,
            log_file_mode: 0o600,
            log_sampling: None,
            metrics_enabled: true,
            prometheus_port: MetricsPort::Port(8000),
            prometheus_bind: IpAddr::from([127, 0, 0, 1]),
            prometheus_textfile_dir: None,
            prometheus_textfile_expiry: Some(Duration::from_hours(90 * 24)),
            prometheus_pushgateway_url: None,
            prometheus_pushgateway_instance: None,
            datadog_enabled: false,
            datadog_api_key: None,
            datadog_site: "datadoghq.com".to_owned(),
            datadog_agentless: None,
            datadog_url: None,
            dd_url: None,
            datadog_hostname: None,
            dd_service: None,
            dd_env: None,
            dd_tags: Vec::new(),
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
            histogram_buckets: None,
            histogram_buckets_by_name: Vec::new(),
            metric_unit_suffixes: true,
            sentry_enabled: false,
            sentry_dsn: None,
            sentry_environment: None,
            sentry_release: None,
            sentry_dist: None,
            sentry_sample_rate: 1.0,
            sentry_traces_sample_rate: 0.1,
            sentry_debug: false,
            sentry_ca_certs: None,
            sentry_tunnel: None,
            sentry_events_from_logs: None,
            cost_tracking_enabled: true,
            cost_alert_threshold_usd: 100.0,
            bigquery_pricing: PricingMode::OnDemand,
            bigquery_usd_per_tib: LocationPrices::new(6.25),
            bigquery_usd_per_slot_hour: LocationPrices::new(0.06),
            bigquery_statement_usd_per_tib: NamedPrices::default(),
            health_check_enabled: true,
            tracing_enabled: false,
            tracing_sample_rate: 0.1,
            tracing_level: LogFilter::from(Level::Info),
            tracing_keep_errors: false,
            health_check_interval: Duration::from_mins(1),
            service_name: "decentclaude".to_owned(),
            environment: "dev".to_owned(),
            enabled: true,
            flush_timeout: Duration::from_secs(2),
            signals: Signals::End,
            shutdown_grace: Duration::ZERO,
            max_series: 1000,
            redact_names: Vec::new(),
            redact_patterns: Vec::new(),
            redaction_key: None,
            state_dir: None,
            budgets: Vec::new(),
            budget_timezone: "UTC".to_owned(),
            bigquery_emulator_host: None,
            otel: OtelConfig::default(),
            version: UNKNOWN_VERSION.to_owned(),
            commit: None,
            program_trace: ProgramTrace::default(),
        }
    }
}
