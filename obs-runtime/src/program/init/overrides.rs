//! The builder methods that override the environment, one for each setting.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::level::Level;
use crate::base::secret::Secret;
use crate::config::agent_address::AgentAddress;
use crate::config::filter::LogFilter;
use crate::config::location_prices::LocationPrices;
use crate::config::log_format::LogFormat;
use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::metrics_port::MetricsPort;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::config::sampling::LogSampling;
use crate::config::signals::Signals;
use crate::events::program_trace::{ProgramTrace, SpanContext};
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
        /// The program's version, a label of `obs.build.info` and, in Datadog, of every series. Usually
        /// `env!("CARGO_PKG_VERSION")`.
        version(version: impl Into<String>) => version = version.into();
        /// Instead of `LOG_LEVEL`.
        log_level(filter: impl Into<LogFilter>) => log_level = filter.into();
        /// Instead of `LOG_FORMAT`.
        log_format(format: LogFormat) => log_format = format;
        /// Instead of `LOG_LAYOUT`.
        log_layout(layout: LogLayout) => log_layout = layout;
        /// Instead of `LOG_TIME`.
        log_time(time: LogTime) => log_time = time;
        /// Instead of `LOG_SPANS`.
        log_spans(listed: bool) => log_spans = listed;
        /// Instead of `LOG_SPAN_CLOSE`.
        log_span_close(told: bool) => log_span_close = told;
        /// Instead of `LOG_FILE`.
        log_file(path: impl Into<PathBuf>) => log_file = Some(path.into());
        /// The format of the log file. The default is JSON.
        log_file_format(format: LogFormat) => log_file_format = format;
        /// The filter of the log file. The default is `LOG_LEVEL`.
        log_file_level(filter: impl Into<LogFilter>) => log_file_level = Some(filter.into());
        /// The mode of a log file that obs creates on Unix, less the umask. The default is 0600: its lines have users and
        /// arguments. A collector that runs as another user needs more, such as 0640.
        log_file_mode(mode: u32) => log_file_mode = mode;
        /// Samples the lines of successful calls of hot functions. By default all are written.
        log_sampling(sampling: LogSampling) => log_sampling = Some(sampling);
        /// Instead of `METRICS_ENABLED`.
        metrics_enabled(enabled: bool) => metrics_enabled = enabled;
        /// Instead of `PROMETHEUS_PORT`; 0 means any free port, and [`MetricsPort::Off`] no endpoint.
        prometheus_port(port: impl Into<MetricsPort>) => prometheus_port = port.into();
        /// Instead of `PROMETHEUS_BIND`.
        prometheus_bind(address: IpAddr) => prometheus_bind = address;
        /// Instead of `PROMETHEUS_TEXTFILE_DIR`.
        prometheus_textfile_dir(folder: impl Into<PathBuf>) => prometheus_textfile_dir = Some(folder.into());
        /// Instead of `PROMETHEUS_TEXTFILE_EXPIRY`; none means never.
        prometheus_textfile_expiry(after: Option<Duration>) => prometheus_textfile_expiry = after;
        /// Instead of `PROMETHEUS_PUSHGATEWAY_URL`; an invalid URL is an error of [`init`](Self::init).
        prometheus_pushgateway_url(url: impl Into<String>) => prometheus_pushgateway_url = Some(PushgatewayUrl::new(url));
        /// The label `instance` of the group that is pushed to a Pushgateway, for a job with several concurrent instances. By
        /// default there is none, and each run replaces the metrics of the previous one. A Pushgateway never deletes a
        /// group, so the name must not change with each run.
        prometheus_pushgateway_instance(name: impl Into<String>) => prometheus_pushgateway_instance = Some(name.into());
        /// Instead of `DATADOG_ENABLED`: whether metrics are sent to a Datadog agent, at an interval and at each flush.
        ///
        /// Counters are sent as increments, gauges as values. Histograms are sent as distributions: count, sum and average are
        /// exact, and a percentile lies in the same bucket of the [catalogue](mod@crate::catalogue) as the true one; of rare
        /// observations, such as queries and checks, up to 25 values between two flushes are sent exactly. If the agent is
        /// unavailable, metrics are kept for up to a minute; then they are dropped and counted in
        /// `obs.dropped{sink="datadog"}`. Instrumented code never waits for the agent.
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
        /// Instead of `DATADOG_AGENTLESS`: whether Datadog's API gets what an agent would get; needs the feature
        /// `datadog-agentless` and an API key. Unlike the variable, it does not enable Datadog by itself. If it is not set, the API is
        /// used on a serverless platform on which no agent listens, and a warning says so.
        datadog_agentless(agentless: bool) => datadog_agentless = Some(agentless);
        /// Instead of `DD_DD_URL`; an invalid URL is an error of [`init`](Self::init).
        datadog_url(url: impl Into<String>) => datadog_url = Some(url.into());
        /// Instead of `DD_HOSTNAME`.
        datadog_hostname(name: impl Into<String>) => datadog_hostname = Some(name.into());
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
        /// How often metrics are sent to the Datadog agent, besides at each flush. The default is 10 seconds, the agent's own
        /// interval.
        datadog_interval(interval: Duration) => datadog_interval = interval;
        /// Whether health checks are sent as service checks. The default is true. Set it to false for a `StatsD` server that
        /// accepts only metrics.
        datadog_service_checks(sent: bool) => datadog_service_checks = sent;
        /// Whether a command that ends with an error, a panic or by cancellation is sent as an event. The default is false.
        datadog_command_events(sent: bool) => datadog_command_events = sent;
        /// Instead of `SENTRY_ENABLED`.
        sentry_enabled(enabled: bool) => sentry_enabled = enabled;
        /// Instead of `SENTRY_DSN`. It does not enable Sentry by itself.
        sentry_dsn(dsn: Secret<String>) => sentry_dsn = Some(dsn);
        /// Instead of `SENTRY_ENVIRONMENT`.
        sentry_environment(name: impl Into<String>) => sentry_environment = Some(name.into());
        /// Instead of `SENTRY_RELEASE`.
        sentry_release(release: impl Into<String>) => sentry_release = Some(release.into());
        /// Instead of `SENTRY_DIST`.
        sentry_dist(dist: impl Into<String>) => sentry_dist = Some(dist.into());
        /// Instead of `SENTRY_SAMPLE_RATE`, from 0 to 1.
        sentry_sample_rate(rate: f64) => sentry_sample_rate = rate;
        /// Instead of `SENTRY_DEBUG`.
        sentry_debug(debug: bool) => sentry_debug = debug;
        /// Instead of `SENTRY_CA_CERTS`.
        sentry_ca_certs(path: impl Into<PathBuf>) => sentry_ca_certs = Some(path.into());
        /// Instead of `SENTRY_TUNNEL`.
        sentry_tunnel(url: impl Into<String>) => sentry_tunnel = Some(url.into());
        /// Instead of `SENTRY_EVENTS_FROM_LOGS`: from which level on an event of `tracing` or `log` is an event in Sentry too. With a field
        /// that is an error (`error = &error as &dyn Error`) it has the error's sources, and is one event with the captures of the same
        /// error; otherwise it is a message.
        sentry_events_from_logs(level: impl Into<Option<Level>>) => sentry_events_from_logs = level.into();
        /// Instead of `SENTRY_TRACES_SAMPLE_RATE`.
        sentry_traces_sample_rate(rate: f64) => sentry_traces_sample_rate = rate;
        /// Instead of `COST_TRACKING_ENABLED`.
        cost_tracking_enabled(enabled: bool) => cost_tracking_enabled = enabled;
        /// Instead of `COST_ALERT_THRESHOLD_USD`.
        cost_alert_threshold_usd(usd: f64) => cost_alert_threshold_usd = usd;
        /// Instead of `BIGQUERY_USD_PER_TIB`: one price, or [`LocationPrices`](crate::config::LocationPrices).
        bigquery_usd_per_tib(usd: impl Into<LocationPrices>) => bigquery_usd_per_tib = usd.into();
        /// Instead of `HEALTH_CHECK_ENABLED`.
        health_check_enabled(enabled: bool) => health_check_enabled = enabled;
        /// Instead of `TRACING_ENABLED`.
        tracing_enabled(enabled: bool) => tracing_enabled = enabled;
        /// Instead of `TRACING_SAMPLE_RATE`, from 0 to 1.
        tracing_sample_rate(rate: f64) => tracing_sample_rate = rate;
        /// Instead of `TRACING_LEVEL`.
        tracing_level(level: impl Into<LogFilter>) => tracing_level = level.into();
        /// Instead of `TRACING_KEEP_ERRORS`.
        tracing_keep_errors(kept: bool) => tracing_keep_errors = kept;
        /// Instead of `HEALTH_CHECK_INTERVAL_SECONDS`.
        health_check_interval(interval: Duration) => health_check_interval = interval;
        /// Instead of `OBS_COMMIT`.
        commit(commit: impl Into<String>) => commit = Some(commit.into());
        /// Instead of `OBS_ENABLED`: with false, `init` gives a guard that does nothing, the program runs as if obs was not initialised,
        /// and other problems of the configuration are no errors. Layers of the builder are installed all the same.
        enabled(enabled: bool) => enabled = enabled;
        /// Instead of `OBS_FLUSH_TIMEOUT`.
        flush_timeout(timeout: Duration) => flush_timeout = timeout;
        /// Instead of `OBS_SIGNALS`: whether the first SIGTERM or SIGINT flushes every exporter within `OBS_FLUSH_TIMEOUT` and ends
        /// the process, and a second one at once. The default is true. Unix only.
        ///
        /// While a command runs, the signal ends it as `cancelled`. Without a running command, obs leaves the end to a handler
        /// that the program has installed, for example by `tokio::signal`, before or after `init`: the drop of the
        /// [`Guard`](crate::Guard) flushes. In both cases SIGTERM turns `/readyz` to 503.
        ///
        /// With [`Signals::FlushOnly`], obs flushes and leaves the end to a handler that the program has installed after `init`, also while a
        /// command runs: the program can drain its work, and the command ends by itself.
        ///
        /// With false, obs installs no handler. An ignored signal and a handler that was installed before `init` are never
        /// replaced; such a handler also gets the signals that come while a command runs.
        signals(handled: impl Into<Signals>) => signals = handled.into();
        /// Instead of `OBS_SHUTDOWN_GRACE`: how long the program goes on after SIGTERM before obs ends it, while `/readyz` answers
        /// 503 and a load balancer takes it out. The default is zero. A second signal ends it at once.
        shutdown_grace(grace: Duration) => shutdown_grace = grace;
        /// Upper bounds of the buckets of the program's own histograms (`metrics::histogram!`) that have no unit: none at the end of their
        /// name (`_seconds`, `_bytes`, `_rows`, `_usd`), and none that `describe_histogram!` gives. In order, each once; values that are
        /// not finite are left out. For Prometheus those of the first initialisation apply as long as the process lives. Datadog has
        /// distributions without buckets.
        ///
        /// ```
        /// # use obs_runtime::Observability;
        /// let builder = Observability::builder().histogram_buckets(vec![0.1, 0.5, 0.9]);
        /// # let _ = builder;
        /// ```
        histogram_buckets(bounds: Vec<f64>) => histogram_buckets = Some(bounds);
        /// Whether a unit that `describe_histogram!` gives is added to the histogram's name in Prometheus: `latency` in
        /// `Unit::Seconds` is `latency_seconds`, and has the buckets of durations. The default is true. With false the name stays, and
        /// with it the buckets for any number in Prometheus; set them by [`histogram_buckets_of`](Self::histogram_buckets_of).
        metric_unit_suffixes(added: bool) => metric_unit_suffixes = added;
        /// Instead of `OBS_MAX_SERIES`.
        max_series(series: usize) => max_series = series;
        /// Instead of `OBS_REDACT_NAMES`.
        redact_names(names: Vec<String>) => redact_names = names;
        /// Regular expressions of values to redact, in addition to the built-in ones: the first group, or the whole match. An
        /// invalid expression is a problem of the configuration. Matching takes linear time.
        ///
        /// ```
        /// # use obs_runtime::Observability;
        /// let builder = Observability::builder().redact_patterns(vec![r"EMP-\d{6}".to_owned(), r"customer (\d+)".to_owned()]);
        /// # let _ = builder;
        /// ```
        redact_patterns(patterns: Vec<String>) => redact_patterns = patterns;
    }

    /// Upper bounds of the buckets of the program's own histogram of that name, as
    /// [`histogram_buckets`](Self::histogram_buckets) has them for all.
    pub fn histogram_buckets_of(mut self, name: impl Into<String>, bounds: Vec<f64>) -> Self {
        let name = name.into();
        self.overrides.push(Box::new(move |config| config.histogram_buckets_by_name.push((name, bounds))));
        self
    }

    /// The current span of another tracer in the program, such as that of `tracing-opentelemetry`. Where there is one, log lines, error
    /// events, [`child_env`](crate::child_env()) and [`context_headers`](crate::context_headers) have its trace, and spans of obs begin in
    /// it. The function is called for each of them, so it should be quick; what it logs has no trace, and a panic counts as no span. With the
    /// feature `otlp`, the current span of `opentelemetry` is found without it. The chapter [`guide::beside`](crate::guide::beside) has the
    /// function for `tracing-opentelemetry`.
    ///
    /// ```
    /// use obs_runtime::{Observability, SpanContext};
    ///
    /// let current = || Some(SpanContext { trace_id: [1; 16], span_id: [2; 8], is_sampled: true });
    /// let builder = Observability::builder().trace_context(current);
    /// # let _ = builder;
    /// ```
    pub fn trace_context(mut self, current: impl Fn() -> Option<SpanContext> + Send + Sync + 'static) -> Self {
        let trace = ProgramTrace::new(current);
        self.overrides.push(Box::new(move |config| config.program_trace = trace));
        self
    }
}
