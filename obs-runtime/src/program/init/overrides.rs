//! What a program says instead of the environment, value by value.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::secret::Secret;
use crate::config::agent_address::AgentAddress;
use crate::config::filter::LogFilter;
use crate::config::log_format::LogFormat;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::config::sampling::LogSampling;
use crate::program::init::observability::ObservabilityBuilder;

macro_rules! overrides {
    ($($(#[$doc:meta])* $name:ident($value:ident: $type:ty) => $field:ident = $set:expr;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $value: $type) -> Self {
            let value = $set;
            self.overrides.push(Box::new(move |config| config.$field = value));
            self
        }
    )*};
}

impl ObservabilityBuilder {
    overrides! {
        /// Instead of `SERVICE_NAME`.
        service_name(name: impl Into<String>) => service_name = name.into();
        /// Instead of `ENVIRONMENT`.
        environment(name: impl Into<String>) => environment = name.into();
        /// The program's version, a label of every series: `env!("CARGO_PKG_VERSION")` as a rule.
        version(version: impl Into<String>) => version = version.into();
        /// Instead of `LOG_LEVEL`.
        log_level(filter: impl Into<LogFilter>) => log_level = filter.into();
        /// Instead of `LOG_FORMAT`.
        log_format(format: LogFormat) => log_format = format;
        /// Instead of `LOG_FILE`.
        log_file(path: impl Into<PathBuf>) => log_file = Some(path.into());
        /// How lines are written to the log file: as JSON unless told otherwise.
        log_file_format(format: LogFormat) => log_file_format = format;
        /// Which lines are written to the log file: those of `LOG_LEVEL` unless told otherwise.
        log_file_level(filter: impl Into<LogFilter>) => log_file_level = Some(filter.into());
        /// Leaves out lines that tell of hot functions' successful calls: all are written unless told otherwise.
        log_sampling(sampling: LogSampling) => log_sampling = Some(sampling);
        /// Instead of `METRICS_ENABLED`.
        metrics_enabled(enabled: bool) => metrics_enabled = enabled;
        /// Instead of `PROMETHEUS_PORT`; 0 is any free port.
        prometheus_port(port: u16) => prometheus_port = port;
        /// Instead of `PROMETHEUS_BIND`.
        prometheus_bind(address: IpAddr) => prometheus_bind = address;
        /// Instead of `PROMETHEUS_TEXTFILE_DIR`.
        prometheus_textfile_dir(folder: impl Into<PathBuf>) => prometheus_textfile_dir = Some(folder.into());
        /// Instead of `PROMETHEUS_TEXTFILE_EXPIRY`; none for never.
        prometheus_textfile_expiry(after: Option<Duration>) => prometheus_textfile_expiry = after;
        /// Instead of `PROMETHEUS_PUSHGATEWAY_URL`; what is no URL is an error of [`init`](Self::init).
        prometheus_pushgateway_url(url: impl Into<String>) => prometheus_pushgateway_url = Some(PushgatewayUrl::new(url));
        /// The label `instance` of the group that is pushed to a Pushgateway, for a job that runs in many places at once.
        /// None unless it is set: then each run replaces what the one before has pushed. A Pushgateway never forgets a
        /// group, so it must not be another one for each run.
        prometheus_pushgateway_instance(name: impl Into<String>) => prometheus_pushgateway_instance = Some(name.into());
        /// Instead of `DATADOG_ENABLED`: whether a Datadog agent gets what is measured, at an interval and at every flush.
        ///
        /// Counters are told by how much they grew, gauges as they are. Histograms are distributions: their count, sum and
        /// average are exact, and every percentile lies in the bucket of the [catalogue](mod@crate::catalogue) in which it
        /// really was; of what is rare, as queries and checks, up to 25 values between two deliveries are told as they
        /// were. What cannot be sent because the agent is away is sent when it is back, for up to a minute; after that it is
        /// dropped and counted, as `obs.dropped{sink="datadog"}`. Nobody who is measured ever waits.
        ///
        /// ```no_run
        /// use std::time::Duration;
        ///
        /// let guard = obs_runtime::Observability::builder()
        ///     .datadog_enabled(true)
        ///     .datadog_agent("unix:///var/run/datadog/dsd.socket".parse()?)
        ///     .datadog_interval(Duration::from_secs(5))
        ///     .datadog_command_events(true)
        ///     .init()?;
        /// # drop(guard);
        /// # Ok::<_, Box<dyn std::error::Error>>(())
        /// ```
        datadog_enabled(enabled: bool) => datadog_enabled = enabled;
        /// Instead of `DATADOG_API_KEY`.
        datadog_api_key(key: Secret<String>) => datadog_api_key = Some(key);
        /// Instead of `DATADOG_SITE`.
        datadog_site(host: impl Into<String>) => datadog_site = host.into();
        /// Instead of `DATADOG_SERVICE`.
        datadog_service(name: impl Into<String>) => datadog_service = Some(name.into());
        /// Instead of `DATADOG_ENV`.
        datadog_env(name: impl Into<String>) => datadog_env = Some(name.into());
        /// Instead of `DD_VERSION`.
        datadog_version(version: impl Into<String>) => datadog_version = Some(version.into());
        /// Instead of `DD_DOGSTATSD_URL`, `DD_AGENT_HOST` and `DD_DOGSTATSD_PORT`.
        datadog_agent(address: AgentAddress) => datadog_agent_url = Some(address);
        /// Instead of `DD_ENTITY_ID`.
        datadog_entity_id(id: impl Into<String>) => datadog_entity_id = Some(id.into());
        /// How often the Datadog agent gets what has come, besides at every flush: 10 seconds, which is the agent's own
        /// beat, unless told otherwise.
        datadog_interval(interval: Duration) => datadog_interval = interval;
        /// Whether health checks are service checks in Datadog; true unless told otherwise. Say false where what listens is
        /// no Datadog agent and knows metrics only.
        datadog_service_checks(sent: bool) => datadog_service_checks = sent;
        /// Whether a command that ends in an error, by a panic or cancelled is an event in Datadog; false unless told
        /// otherwise.
        datadog_command_events(sent: bool) => datadog_command_events = sent;
        /// Instead of `SENTRY_ENABLED`.
        sentry_enabled(enabled: bool) => sentry_enabled = enabled;
        /// Instead of `SENTRY_DSN`. By itself it enables nothing.
        sentry_dsn(dsn: Secret<String>) => sentry_dsn = Some(dsn);
        /// Instead of `SENTRY_ENVIRONMENT`.
        sentry_environment(name: impl Into<String>) => sentry_environment = Some(name.into());
        /// Instead of `SENTRY_RELEASE`.
        sentry_release(release: impl Into<String>) => sentry_release = Some(release.into());
        /// Instead of `SENTRY_TRACES_SAMPLE_RATE`.
        sentry_traces_sample_rate(rate: f64) => sentry_traces_sample_rate = rate;
        /// Instead of `COST_TRACKING_ENABLED`.
        cost_tracking_enabled(enabled: bool) => cost_tracking_enabled = enabled;
        /// Instead of `COST_ALERT_THRESHOLD_USD`.
        cost_alert_threshold_usd(usd: f64) => cost_alert_threshold_usd = usd;
        /// Instead of `BIGQUERY_USD_PER_TIB`.
        bigquery_usd_per_tib(usd: f64) => bigquery_usd_per_tib = usd;
        /// Instead of `HEALTH_CHECK_ENABLED`.
        health_check_enabled(enabled: bool) => health_check_enabled = enabled;
        /// Instead of `TRACING_ENABLED`.
        tracing_enabled(enabled: bool) => tracing_enabled = enabled;
        /// Instead of `TRACING_SAMPLE_RATE`, from 0 to 1.
        tracing_sample_rate(rate: f64) => tracing_sample_rate = rate;
        /// Instead of `HEALTH_CHECK_INTERVAL_SECONDS`.
        health_check_interval(interval: Duration) => health_check_interval = interval;
        /// Instead of `OBS_FLUSH_TIMEOUT`.
        flush_timeout(timeout: Duration) => flush_timeout = timeout;
        /// Instead of `OBS_MAX_SERIES`.
        max_series(series: usize) => max_series = series;
        /// Instead of `OBS_REDACT_NAMES`.
        redact_names(names: Vec<String>) => redact_names = names;
        /// Regular expressions of what must not leave beside what obs knows: all that they match, or their first group
        /// where they have one. One that is none is a problem of the configuration. They take no time to speak of,
        /// whatever they are: there is no back-tracking.
        ///
        /// ```
        /// # use obs_runtime::Observability;
        /// let builder = Observability::builder().redact_patterns(vec![r"EMP-\d{6}".to_owned(), r"customer (\d+)".to_owned()]);
        /// # let _ = builder;
        /// ```
        redact_patterns(patterns: Vec<String>) => redact_patterns = patterns;
    }
}
