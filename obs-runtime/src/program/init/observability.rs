//! From a configuration to sinks, a pipeline and the guard that flushes them.

use std::fmt;
use std::sync::Arc;

use tracing_subscriber::{Layer, Registry};

use crate::base::clock;
use crate::config;
use crate::config::problem::ConfigError;
use crate::config::read::ReadVariables;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::context::propagation::InheritedContext;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::Exporter;
use crate::exporters::log::exporter::{LogExporter, LogFileError};
use crate::exporters::log::log_output::LogOutput;
#[cfg(feature = "sentry")]
use crate::exporters::sentry::options::SentryOptions;
use crate::exporters::sink::definition::{Sink, SinkInitError};
use crate::exporters::sink::exporter;
use crate::instrument::call::lifecycle;
use crate::instrument::errors::panic_watcher;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline as _;
use crate::pipeline::log_level::LogLevelHandle;
use crate::pipeline::subscriber;
use crate::pipeline::subscriber::BoxedLayer;
#[cfg(feature = "_user-metrics")]
use crate::pipeline::user_metrics;
#[cfg(unix)]
use crate::program::at_exit;
#[cfg(feature = "datadog")]
use crate::program::datadog;
use crate::program::guard::Guard;
#[cfg(feature = "prometheus")]
use crate::program::prometheus;
use crate::program::self_checks::registration::SelfChecks;
#[cfg(feature = "sentry")]
use crate::program::sentry;
#[cfg(unix)]
use crate::program::signals;
use crate::redact::redactor::Redactor;

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
    /// A sink cannot be used.
    #[error(transparent)]
    Sink(#[from] SinkInitError),
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
            output: None,
            layers: Some(Vec::new()),
            sinks: Vec::new(),
            #[cfg(feature = "sentry")]
            sentry: SentryOptions::default(),
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
    pub(super) overrides: Vec<Override>,
    output: Option<LogOutput>,
    /// Layers beside obs' own; none when the subscriber is the program's.
    layers: Option<Vec<BoxedLayer>>,
    sinks: Vec<Box<dyn Sink>>,
    #[cfg(feature = "sentry")]
    pub(super) sentry: SentryOptions,
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

    /// Where lines go that `LOG_LEVEL` and `LOG_FORMAT` are about, instead of standard error. `LOG_FILE` gets its own.
    pub fn log_output(mut self, output: LogOutput) -> Self {
        self.output = Some(output);
        self
    }

    /// Another layer of `tracing_subscriber` beside obs' own, with a filter of its own where it has one.
    ///
    /// ```no_run
    /// # use obs_runtime::Observability;
    /// # let their_layer = tracing_subscriber::layer::Identity::new();
    /// let _guard = Observability::builder().layer(their_layer).init()?;
    /// # Ok::<_, obs_runtime::InitError>(())
    /// ```
    pub fn layer(mut self, layer: impl Layer<Registry> + Send + Sync) -> Self {
        self.layers.get_or_insert_default().push(Box::new(layer));
        self
    }

    /// Adds an exporter of the program's own. See [`Sink`] for its contract and an example.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Whether obs becomes the program's `tracing` subscriber; true unless told otherwise. Say false in a program that
    /// makes its own and puts [`obs_runtime::layer()`](crate::layer()) into it.
    pub fn subscriber(mut self, ours: bool) -> Self {
        if ours {
            self.layers.get_or_insert_default();
        } else {
            self.layers = None;
        }
        self
    }

    /// The configuration as it would be used.
    ///
    /// # Errors
    /// All problems at once, of the environment's variables and of what the program says.
    pub fn config(self) -> Result<Config, ConfigError> {
        self.resolve().map(|(config, _)| config)
    }

    /// Each variable's value as it would be used, where it came from (default, environment, builder), what is allowed, and
    /// a word of help; never with a secret.
    ///
    /// ```
    /// use obs_runtime::{Observability, config::Origin};
    ///
    /// let settings = Observability::builder().without_environment().prometheus_port(9100).settings()?;
    /// let port = settings.iter().find(|setting| setting.name == "PROMETHEUS_PORT").unwrap();
    /// assert_eq!((port.value.as_deref(), port.origin), (Some("9100"), Origin::Builder));
    /// # Ok::<_, obs_runtime::ConfigError>(())
    /// ```
    ///
    /// # Errors
    /// As [`config`](Self::config).
    pub fn settings(self) -> Result<Vec<Setting>, ConfigError> {
        self.resolve().map(|(_, settings)| settings)
    }

    fn resolve(self) -> Result<(Config, Vec<Setting>), ConfigError> {
        let mut config = self.defaults.clone();
        let ReadVariables { set, mut problems } =
            if self.environment { config.read(|name| std::env::var_os(name)) } else { ReadVariables::default() };
        let with_environment = config.clone();
        for change in self.overrides {
            change(&mut config);
        }
        // What the environment's value is told of already is not told of once more for the lack of another one.
        for found in config.check().err().into_iter().flat_map(|error| error.problems) {
            if problems.iter().all(|known| known.variable != found.variable) {
                problems.push(found);
            }
        }
        if !problems.is_empty() {
            return Err(ConfigError { problems });
        }
        let settings = config.settings(&self.defaults, &with_environment, &set);
        // They stand in every line and on every series.
        let redactor = Redactor::new(&config.redact_names, None).with_patterns(&config.redact_patterns);
        let own = [&mut config.service_name, &mut config.environment, &mut config.version];
        let datadogs = [&mut config.datadog_service, &mut config.datadog_env, &mut config.datadog_version];
        let sentrys = [&mut config.sentry_environment, &mut config.sentry_release];
        for name in own.into_iter().chain(datadogs.into_iter().chain(sentrys).flatten()) {
            *name = redactor.text(std::mem::take(name).into()).into_owned();
        }
        Ok((config, settings))
    }

    /// Initialises obs.
    ///
    /// # Errors
    /// As [`init_observability`].
    pub fn init(mut self) -> Result<Guard, InitError> {
        if global::is_installed() {
            return Err(InitError::AlreadyInitialised);
        }
        let layers = self.layers.take();
        let own_sinks = std::mem::take(&mut self.sinks);
        let output = self.output.take().unwrap_or_else(LogOutput::stderr);
        #[cfg(unix)]
        let handled = self.signals;
        #[cfg(feature = "_user-metrics")]
        let metrics_macros = self.metrics_macros;
        let inherited = if self.environment {
            InheritedContext::from_environment(|name| std::env::var_os(name))
        } else {
            InheritedContext::default()
        };
        #[cfg(feature = "sentry")]
        let sentry = self.sentry.clone();
        let unknown =
            if self.environment { config::unknown(std::env::vars_os().map(|(name, _)| name)) } else { Vec::new() };
        let (config, settings) = self.resolve()?;
        // Calibrated here, so that no call pays for it.
        clock::clock();
        panic_watcher::watch();
        lifecycle::enable();
        let metrics = Arc::new(MetricAggregator::new(config.max_series));
        let log = LogExporter::new(&config, output)?;
        let log_level = LogLevelHandle::new(log.filter().clone());
        let sinks: Vec<Arc<dyn Exporter>> = vec![Arc::new(log)];
        #[cfg(feature = "prometheus")]
        let sinks = [sinks, prometheus::sinks(&config, &metrics)].concat();
        #[cfg(feature = "datadog")]
        let sinks = [sinks, datadog::sink(&config, &metrics).into_iter().collect()].concat();
        #[cfg(feature = "sentry")]
        let sinks = [sinks, sentry::sink(&config, sentry)?.into_iter().collect()].concat();
        let own_sinks = exporter::start_all(own_sinks, &config)?;
        let pipeline =
            FanOut::new(config, metrics, [sinks, own_sinks].concat()).with_error_rate_limit().with_settings(settings);
        let pipeline = Arc::new(pipeline);
        global::install(Arc::clone(&pipeline) as _).map_err(|_| InitError::AlreadyInitialised)?;
        Context::set_root(inherited.context);
        if let Some(layers) = layers {
            subscriber::install(layers);
        }
        #[cfg(feature = "_user-metrics")]
        if metrics_macros && pipeline.config().metrics_enabled {
            user_metrics::install();
        }
        for problem in inherited.problems {
            global::warn(problem.to_string());
        }
        for variable in unknown {
            global::warn(variable.to_string());
        }
        if pipeline.config().tracing_enabled {
            global::warn(
                "TRACING_ENABLED does nothing yet: log lines tell of traces, and nothing exports them".to_owned(),
            );
        }
        #[cfg(not(feature = "prometheus"))]
        if pipeline.config().prometheus_textfile_dir.is_some() {
            global::warn("PROMETHEUS_TEXTFILE_DIR does nothing without obs-runtime's feature prometheus".to_owned());
        }
        #[cfg(not(feature = "datadog"))]
        if pipeline.config().datadog_enabled {
            global::warn("DATADOG_ENABLED does nothing without obs-runtime's feature datadog".to_owned());
        }
        #[cfg(not(feature = "sentry"))]
        if pipeline.config().sentry_enabled {
            global::warn("SENTRY_ENABLED does nothing without obs-runtime's feature sentry".to_owned());
        }
        #[cfg(unix)]
        let signals = handled.then(signals::watch).and_then(|watch| {
            watch.inspect_err(|error| global::warn(format!("signals are not handled: {error}"))).ok()
        });
        #[cfg(unix)]
        at_exit::watch();
        #[cfg(unix)]
        let hangup =
            (handled && pipeline.config().log_file.is_some()).then(signals::reopen_on_hangup).and_then(|hangup| {
                let warn = |error: &_| global::warn(format!("SIGHUP does not open the log file again: {error}"));
                hangup.inspect_err(warn).ok().flatten()
            });
        Ok(Guard {
            log_level,
            self_checks: Some(SelfChecks::new(pipeline.config())),
            #[cfg(unix)]
            signals,
            #[cfg(unix)]
            hangup,
            #[cfg(feature = "prometheus")]
            server: prometheus::serve(&pipeline),
            pipeline,
        })
    }
}
