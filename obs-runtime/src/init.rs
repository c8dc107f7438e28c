//! From a configuration to sinks, a pipeline and the guard that flushes them.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Duration;

use crate::analytics::end_commands;
use crate::clock;
use crate::config::{AgentAddress, Config, ConfigError, LogFilter, LogFormat};
use crate::context::{Context, Inherited};
#[cfg(feature = "datadog")]
use crate::datadog;
#[cfg(feature = "prometheus")]
use crate::endpoint;
use crate::global;
use crate::panics;
use crate::pipeline::Pipeline;
use crate::redact::Redactor;
use crate::secret::Secret;
#[cfg(unix)]
use crate::signals;
use crate::sinks::Sink;
use crate::sinks::log::{LogFileError, LogSink};
use crate::sinks::metrics::MetricsSink;
use crate::snapshot::Snapshot;
use crate::subscriber;
#[cfg(feature = "_user-metrics")]
use crate::user_metrics;

/// Initialises obs from the environment: logs, metrics, the endpoint that Prometheus scrapes. Keep the guard until the
/// end of `main`: its drop flushes every sink.
///
/// # Errors
/// When the configuration is wrong (all its problems at once), the log file cannot be opened, or obs is initialised
/// already. A port that is taken is no error: it is warned of, and the job goes on.
///
/// ```no_run
/// fn main() -> Result<(), Box<dyn std::error::Error>> {
///     let _guard = obs_runtime::init_observability()?;
///     // … the job …
///     Ok(())
/// }
/// ```
pub fn init_observability() -> Result<Guard, InitError> {
    Observability::builder().init()
}

/// Why obs could not be initialised. Its `Debug` is its `Display`, as `main` shows an error that it returns by `Debug`.
#[derive(thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The configuration is wrong.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The log file cannot be written.
    #[error(transparent)]
    LogFile(#[from] LogFileError),
    /// There can be one at a time.
    #[error("obs is initialised already: drop the first guard before initialising it again")]
    AlreadyInitialised,
}

impl fmt::Debug for InitError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

/// The entry to obs: [`Observability::builder`].
#[derive(Debug)]
pub struct Observability;

impl Observability {
    /// Begins with the environment's configuration, to be overridden.
    pub fn builder() -> ObservabilityBuilder {
        ObservabilityBuilder {
            environment: true,
            signals: true,
            metrics_macros: true,
            defaults: Config::default(),
            overrides: Vec::new(),
        }
    }
}

type Override = Box<dyn FnOnce(&mut Config)>;

/// Overrides the environment's configuration, value by value, and initialises obs.
///
/// ```no_run
/// use obs_runtime::{Level, Observability};
///
/// let guard = Observability::builder()
///     .service_name("nightly-load")
///     .version(env!("CARGO_PKG_VERSION"))
///     .log_level(Level::Debug)
///     .prometheus_port(0)
///     .init()?;
/// println!("metrics at {:?}", guard.metrics_address());
/// # Ok::<_, obs_runtime::InitError>(())
/// ```
#[must_use = "nothing is initialised before `init`"]
pub struct ObservabilityBuilder {
    environment: bool,
    signals: bool,
    metrics_macros: bool,
    defaults: Config,
    overrides: Vec<Override>,
}

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
    /// Changes what holds where the environment says nothing.
    ///
    /// ```no_run
    /// # use obs_runtime::Observability;
    /// let builder = Observability::builder().defaults(|config| config.service_name = "nightly-load".to_owned());
    /// # let _ = builder;
    /// ```
    pub fn defaults(mut self, change: impl FnOnce(&mut Config)) -> Self {
        change(&mut self.defaults);
        self
    }

    /// Begins with the defaults alone; no variable is read.
    pub fn without_environment(mut self) -> Self {
        self.environment = false;
        self
    }

    /// Whether the first SIGTERM or SIGINT ends the running commands, flushes every sink under `OBS_FLUSH_TIMEOUT` and
    /// then ends the process; true unless told otherwise. The second one ends it at once.
    ///
    /// Say false in a program that goes on after such a signal, as a server that drains its connections does: it
    /// flushes by the [`Guard`]'s drop. A handler that was there before `init`, and a signal that is ignored, are left
    /// alone anyway. Unix only.
    pub fn signals(mut self, handled: bool) -> Self {
        self.signals = handled;
        self
    }

    /// Whether what the program counts by the macros of the crate `metrics` (`counter!`, `gauge!`, `histogram!`) is taken
    /// in; true unless told otherwise. It takes the one recorder that a process can have.
    pub fn metrics_macros(mut self, taken: bool) -> Self {
        self.metrics_macros = taken;
        self
    }

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
        /// Instead of `METRICS_ENABLED`.
        metrics_enabled(enabled: bool) => metrics_enabled = enabled;
        /// Instead of `PROMETHEUS_PORT`; 0 is any free port.
        prometheus_port(port: u16) => prometheus_port = port;
        /// Instead of `PROMETHEUS_BIND`.
        prometheus_bind(address: IpAddr) => prometheus_bind = address;
        /// Instead of `PROMETHEUS_TEXTFILE_DIR`.
        prometheus_textfile_dir(folder: impl Into<PathBuf>) => prometheus_textfile_dir = Some(folder.into());
        /// Instead of `DATADOG_ENABLED`.
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
        /// Whether a command that ends in an error, by a panic or cancelled is an event in Datadog; false unless told
        /// otherwise.
        datadog_command_events(sent: bool) => datadog_command_events = sent;
        /// Instead of `COST_TRACKING_ENABLED`.
        cost_tracking_enabled(enabled: bool) => cost_tracking_enabled = enabled;
        /// Instead of `COST_ALERT_THRESHOLD_USD`.
        cost_alert_threshold_usd(usd: f64) => cost_alert_threshold_usd = usd;
        /// Instead of `BIGQUERY_USD_PER_TIB`.
        bigquery_usd_per_tib(usd: f64) => bigquery_usd_per_tib = usd;
        /// Instead of `HEALTH_CHECK_ENABLED`.
        health_check_enabled(enabled: bool) => health_check_enabled = enabled;
        /// Instead of `OBS_FLUSH_TIMEOUT`.
        flush_timeout(timeout: Duration) => flush_timeout = timeout;
        /// Instead of `OBS_MAX_SERIES`.
        max_series(series: usize) => max_series = series;
        /// Instead of `OBS_REDACT_NAMES`.
        redact_names(names: Vec<String>) => redact_names = names;
    }

    /// The configuration as it would be used.
    ///
    /// # Errors
    /// All problems of the environment's variables at once.
    pub fn config(self) -> Result<Config, ConfigError> {
        let mut config = self.defaults;
        if self.environment {
            config = config.updated_by(|name| std::env::var_os(name))?;
        }
        for change in self.overrides {
            change(&mut config);
        }
        config.check()?;
        // They stand in every line and on every series.
        let redactor = Redactor::new(&config.redact_names, None);
        let own = [&mut config.service_name, &mut config.environment, &mut config.version];
        let datadogs = [&mut config.datadog_service, &mut config.datadog_env, &mut config.datadog_version];
        for name in own.into_iter().chain(datadogs.into_iter().flatten()) {
            *name = redactor.text(std::mem::take(name).into()).into_owned();
        }
        Ok(config)
    }

    /// Initialises obs.
    ///
    /// # Errors
    /// As [`init_observability`].
    pub fn init(self) -> Result<Guard, InitError> {
        if global::is_installed() {
            return Err(InitError::AlreadyInitialised);
        }
        #[cfg(unix)]
        let handled = self.signals;
        #[cfg(feature = "_user-metrics")]
        let metrics_macros = self.metrics_macros;
        let inherited = if self.environment {
            Inherited::from_environment(|name| std::env::var_os(name))
        } else {
            Inherited::default()
        };
        let config = self.config()?;
        // Calibrated here, so that no call pays for it.
        clock::clock();
        panics::watch();
        let metrics = Arc::new(MetricsSink::new(config.max_series));
        let sinks: Vec<Arc<dyn Sink>> = vec![Arc::new(LogSink::new(&config)?)];
        #[cfg(feature = "prometheus")]
        let sinks = [sinks, endpoint::textfile(&config, &metrics).into_iter().collect()].concat();
        #[cfg(feature = "datadog")]
        let sinks = [sinks, datadog::sink(&config, &metrics).into_iter().collect()].concat();
        let pipeline = Arc::new(Pipeline::new(config, metrics, sinks));
        global::install(Arc::clone(&pipeline)).map_err(|_| InitError::AlreadyInitialised)?;
        Context::set_root(inherited.context);
        subscriber::listen();
        #[cfg(feature = "_user-metrics")]
        if metrics_macros && pipeline.config().metrics_enabled {
            user_metrics::install();
        }
        for problem in inherited.problems {
            global::warn(problem.to_string());
        }
        #[cfg(not(feature = "prometheus"))]
        if pipeline.config().prometheus_textfile_dir.is_some() {
            global::warn("PROMETHEUS_TEXTFILE_DIR does nothing without obs-runtime's feature prometheus".to_owned());
        }
        #[cfg(not(feature = "datadog"))]
        if pipeline.config().datadog_enabled {
            global::warn("DATADOG_ENABLED does nothing without obs-runtime's feature datadog".to_owned());
        }
        #[cfg(unix)]
        let signals = handled.then(signals::watch).and_then(|watch| {
            watch.inspect_err(|error| global::warn(format!("signals are not handled: {error}"))).ok()
        });
        Ok(Guard {
            #[cfg(unix)]
            signals,
            #[cfg(feature = "prometheus")]
            server: endpoint::serve(&pipeline),
            pipeline,
        })
    }
}

/// Flushes every sink when it is dropped, under `OBS_FLUSH_TIMEOUT`: on return, on `Err` and while a panic unwinds.
#[must_use = "dropped at once, the guard ends what it guards"]
pub struct Guard {
    #[cfg(unix)]
    signals: Option<signals::Watch>,
    pipeline: Arc<Pipeline>,
    #[cfg(feature = "prometheus")]
    server: Option<crate::server::Server>,
}

impl Guard {
    /// Where Prometheus can scrape this program; none when metrics are off or the port was taken.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "prometheus")]
        return self.server.as_ref().map(crate::server::Server::local_addr);
        #[cfg(not(feature = "prometheus"))]
        None
    }

    /// What obs was told to do.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.pipeline.config()
    }

    /// Brings everything recorded so far to where it belongs, within `OBS_FLUSH_TIMEOUT`.
    pub fn flush(&self) {
        global::flush_all(&self.pipeline);
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        global::flush_all(&self.pipeline);
        #[cfg(unix)]
        drop(self.signals.take());
        global::uninstall();
        self.pipeline.close();
        Context::set_root(None);
    }
}

/// Ends the commands that this code runs in by this exit code, flushes every sink and ends the process.
/// `std::process::exit` would lose what is not flushed yet.
///
/// Of several threads that call it, the first one's code counts; the others wait for the end.
pub fn exit(code: i32) -> ! {
    static EXITING: OnceLock<ThreadId> = OnceLock::new();
    let here = thread::current().id();
    while *EXITING.get_or_init(|| here) != here {
        thread::park();
    }
    // The system keeps the lowest eight bits.
    end_commands(code.to_le_bytes()[0]);
    global::flush();
    std::process::exit(code)
}

/// What was measured so far: every family that has a series. Empty when obs is not initialised.
#[must_use]
pub fn metrics() -> Snapshot {
    global::pipeline().map(|pipeline| pipeline.metrics().snapshot()).unwrap_or_default()
}
