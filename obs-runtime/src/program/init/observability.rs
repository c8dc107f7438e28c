//! Builds the exporters, the pipeline and the guard from the configuration.

use std::fmt;
use std::sync::Arc;

use tracing_subscriber::{Layer, Registry};

use crate::base::clock;
use crate::checks::health::readiness;
use crate::config;
use crate::config::problem::ConfigError;
use crate::config::settings::Setting;
#[cfg(unix)]
use crate::config::signals::Signals;
use crate::config::validated::Config;
use crate::context::own_scope;
use crate::context::propagation::InheritedContext;
use crate::exporters::aggregation::aggregator::MetricAggregator;
use crate::exporters::interface::Exporter;
use crate::exporters::log::exporter;
use crate::exporters::log::exporter::LogExporter;
use crate::exporters::log::log_output::LogOutput;
#[cfg(feature = "sentry")]
use crate::exporters::sentry::options::SentryOptions;
use crate::exporters::sink;
use crate::exporters::sink::definition::Sink;
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
use crate::program::early_drop::EarlyDrop;
use crate::program::guard::Guard;
#[cfg(unix)]
use crate::program::hangup;
use crate::program::init::exclusive;
use crate::program::init::failed_init;
use crate::program::init::failed_init::FailedInit;
use crate::program::init::init_error::InitError;
use crate::program::init::init_warnings;
use crate::program::init::resolve;
use crate::program::init::resolve::{Override, Resolved};
use crate::program::init::running_commands;
use crate::program::init::switched_off;
use crate::program::known_series;
#[cfg(feature = "otlp")]
use crate::program::otlp;
#[cfg(feature = "prometheus")]
use crate::program::prometheus;
use crate::program::self_checks::registration::SelfChecks;
#[cfg(feature = "sentry")]
use crate::program::sentry;
#[cfg(unix)]
use crate::program::signals;

/// Initialises obs from the environment. Keep the guard until the end of `main`: its drop flushes every exporter.
///
/// # Errors
/// If the configuration is invalid (with all problems), the log file cannot be opened, or obs is already initialised, or is being
/// initialised or shut down by another thread. A port in use is not an error: it is logged as a warning.
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

/// The entry point: [`Observability::builder`].
#[derive(Debug)]
pub struct Observability;

impl Observability {
    /// A builder that starts from the environment.
    pub fn builder() -> ObservabilityBuilder {
        ObservabilityBuilder {
            environment: true,
            metrics_macros: true,
            log_crate: true,
            global_filters: Vec::new(),
            lenient: false,
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

/// Configures and initialises obs. Its values override those of the environment.
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
#[expect(clippy::struct_excessive_bools, reason = "independent switches")]
pub struct ObservabilityBuilder {
    environment: bool,
    metrics_macros: bool,
    log_crate: bool,
    /// Names of the program's layers that filter all others.
    global_filters: Vec<&'static str>,
    lenient: bool,
    defaults: Config,
    pub(super) overrides: Vec<Override>,
    output: Option<LogOutput>,
    /// Additional layers; none if the program has its own subscriber.
    layers: Option<Vec<BoxedLayer>>,
    sinks: Vec<Box<dyn Sink>>,
    #[cfg(feature = "sentry")]
    pub(super) sentry: SentryOptions,
}

impl fmt::Debug for ObservabilityBuilder {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { environment, metrics_macros, lenient, .. } = self;
        let mut shown = formatter.debug_struct("ObservabilityBuilder");
        shown.field("environment", environment).field("metrics_macros", metrics_macros);
        shown.field("lenient", lenient);
        shown.finish_non_exhaustive()
    }
}

impl ObservabilityBuilder {
    /// Changes the defaults, which apply where the environment sets nothing.
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

    /// Starts from the defaults; no environment variable is read.
    pub fn without_environment(mut self) -> Self {
        self.environment = false;
        self
    }

    /// Goes on when the configuration is invalid: [`init`](Self::init) logs one warning with all problems, and each faulty
    /// value, of a variable or of the builder, becomes its default. Without this they are an error of `init`.
    ///
    /// A `LOG_FILE` that cannot be opened is a problem too; Sentry without a valid DSN is disabled.
    ///
    /// ```no_run
    /// let _guard = obs_runtime::Observability::builder().lenient().init()?;
    /// # Ok::<_, obs_runtime::InitError>(())
    /// ```
    pub fn lenient(mut self) -> Self {
        self.lenient = true;
        self
    }

    /// Whether to export metrics of the crate `metrics` (`counter!`, `gauge!`, `histogram!`). The default is true. It installs
    /// the global recorder of the process.
    pub fn metrics_macros(mut self, taken: bool) -> Self {
        self.metrics_macros = taken;
        self
    }

    /// Whether records of the `log` crate become log lines. The default is true: unless the program has a logger, `init` installs one
    /// that makes them events of `tracing`. With [`subscriber(false)`](Self::subscriber) it does so if the program's subscriber is there
    /// already. One that comes later brings its own: `tracing_subscriber`'s `init` installs it if its feature `tracing-log`, a default,
    /// is enabled.
    pub fn log_crate(mut self, taken: bool) -> Self {
        self.log_crate = taken;
        self
    }

    /// Where log lines are written, instead of standard error. `LOG_FILE` is written in addition.
    pub fn log_output(mut self, output: LogOutput) -> Self {
        self.output = Some(output);
        self
    }

    /// Adds a layer of `tracing_subscriber`, which may have its own filter.
    ///
    /// The traits are those of `tracing_subscriber` 0.3. They are exempt from semver: obs may move to another version of it,
    /// which is below 1.0, in a minor release.
    ///
    /// ```no_run
    /// # use obs_runtime::Observability;
    /// # let their_layer = tracing_subscriber::layer::Identity::new();
    /// let _guard = Observability::builder().layer(their_layer).init()?;
    /// # Ok::<_, obs_runtime::InitError>(())
    /// ```
    pub fn layer<L: Layer<Registry> + Send + Sync>(mut self, layer: L) -> Self {
        self.global_filters.extend(init_warnings::global_filter::<L>());
        self.layers.get_or_insert_default().push(Box::new(layer));
        self
    }

    /// Adds an exporter of the program's own. See [`Sink`] for its contract and an example.
    pub fn sink(mut self, sink: impl Sink) -> Self {
        self.sinks.push(Box::new(sink));
        self
    }

    /// Whether obs installs the global `tracing` subscriber. The default is true. Set it to false in a program that builds its
    /// own with [`obs_runtime::layer()`](crate::layer()).
    pub fn subscriber(mut self, ours: bool) -> Self {
        if ours {
            self.layers.get_or_insert_default();
        } else {
            self.layers = None;
        }
        self
    }

    /// The configuration that would be used.
    ///
    /// # Errors
    /// All problems of the environment and of the builder.
    pub fn config(self) -> Result<Config, ConfigError> {
        self.resolve().map(|resolved| resolved.config)
    }

    /// Each setting that would be used: its value, its source (default, environment, builder), the allowed values and a
    /// description. Secrets are masked.
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
        self.resolve().map(|resolved| resolved.settings)
    }

    fn resolve(self) -> Result<Resolved, ConfigError> {
        let resolved = resolve::resolve(&self.defaults, self.overrides, self.environment);
        if resolved.problems.is_empty() || self.lenient {
            return Ok(resolved);
        }
        Err(ConfigError { problems: resolved.problems })
    }

    /// The configuration and the settings that would be used, and the problems, each faulty value at its default.
    #[cfg(feature = "cli")]
    pub(crate) fn resolved(self) -> (Config, Vec<Setting>, Vec<String>) {
        let Resolved { config, settings, problems, .. } =
            resolve::resolve(&self.defaults, self.overrides, self.environment);
        (config, settings, problems.iter().map(ToString::to_string).collect())
    }

    /// Initialises obs.
    ///
    /// # Errors
    /// As [`init_observability`].
    pub fn init(mut self) -> Result<Guard, InitError> {
        let Some(_initialising) = exclusive::try_initialise() else { return Err(InitError::AlreadyInitialised) };
        if global::is_installed() {
            return Err(InitError::AlreadyInitialised);
        }
        let resolved = resolve::resolve(&self.defaults, std::mem::take(&mut self.overrides), self.environment);
        let (config, settings) = (resolved.config.clone(), resolved.settings.clone());
        let started = self.start(resolved);
        let problems = started.as_ref().err().map(InitError::problems);
        failed_init::set(problems.map(|problems| FailedInit { config, settings, problems }));
        started
    }

    /// Builds the exporters and the pipeline.
    fn start(mut self, resolved: Resolved) -> Result<Guard, InitError> {
        if !resolved.config.enabled {
            return Ok(switched_off::guard(resolved.config, resolved.settings, self.layers));
        }
        let lenient = self.lenient;
        if !(resolved.problems.is_empty() || lenient) {
            return Err(ConfigError { problems: resolved.problems }.into());
        }
        let Resolved { mut config, settings, problems, warnings, rust_log, datadog_route } = resolved;
        let layers = self.layers.take();
        let (log_crate, global_filters) = (self.log_crate, std::mem::take(&mut self.global_filters));
        let own_sinks = std::mem::take(&mut self.sinks);
        let output = self.output.take().unwrap_or_else(LogOutput::stderr);
        #[cfg(feature = "_user-metrics")]
        let metrics_macros = self.metrics_macros;
        let inherited = InheritedContext::of_process(self.environment, config.otel.propagators);
        #[cfg(feature = "sentry")]
        let sentry = self.sentry.clone();
        let unknown =
            if self.environment { config::unknown(std::env::vars_os().map(|(name, _)| name)) } else { Vec::new() };
        let mut problems: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let file = exporter::open_file(&config).or_else(|error| {
            problems.push(global::redact(error.to_string()));
            config.log_file = None;
            if lenient { Ok(None) } else { Err(error) }
        })?;
        // What fails comes first: exporters change what the process has, such as sentry's hub.
        let own_sinks = sink::exporter::start_all(own_sinks, &config)?;
        #[cfg(feature = "sentry")]
        let sentry = sentry::exporter(&config, sentry).or_else(|error| {
            problems.extend(error.problems.iter().map(ToString::to_string));
            if lenient { Ok(None) } else { Err(error) }
        })?;
        // Calibrated here, so that no call has to.
        clock::clock();
        panic_watcher::watch();
        own_scope::set_warn(|message| global::warn_with_help("no-scope", message));
        lifecycle::enable();
        let metrics = MetricAggregator::new(config.max_series).with_sources(known_series::sources(&config));
        let metrics = Arc::new(metrics);
        let log = LogExporter::new(&config, output, file);
        #[cfg(feature = "otlp")]
        let filter = log.filter().clone();
        let log_level = LogLevelHandle::new(log.filter().clone());
        let exporters: Vec<Arc<dyn Exporter>> = vec![Arc::new(log)];
        #[cfg(feature = "prometheus")]
        let exporters = [exporters, prometheus::exporters(&config, &metrics)].concat();
        #[cfg(feature = "datadog")]
        let exporters = [exporters, datadog::exporter(&config, &metrics).into_iter().collect()].concat();
        #[cfg(feature = "sentry")]
        let exporters = [exporters, sentry.into_iter().collect()].concat();
        #[cfg(feature = "otlp")]
        let exporters = [exporters, otlp::exporters(&config, &metrics, &filter)].concat();
        let exporters = [exporters, own_sinks].concat();
        let pipeline = FanOut::new(config, metrics, exporters).with_error_rate_limit().with_settings(settings);
        let pipeline = Arc::new(pipeline);
        global::install(Arc::clone(&pipeline) as _).map_err(|_| InitError::AlreadyInitialised)?;
        running_commands::adopt(inherited.context);
        subscriber::set_up(layers, log_crate);
        init_warnings::of_filtering_layers(&global_filters);
        #[cfg(feature = "_user-metrics")]
        if metrics_macros && pipeline.config().metrics_enabled {
            user_metrics::install(pipeline.config());
        }
        init_warnings::of_defaults(&problems);
        for problem in inherited.problems {
            global::warn(problem.to_string());
        }
        let (config, settings) = (pipeline.config(), pipeline.settings());
        init_warnings::warn(config, settings, (&warnings, &unknown), || {
            init_warnings::of_choices(rust_log, datadog_route);
        });
        readiness::reset();
        #[cfg(unix)]
        let handled = pipeline.config().signals != Signals::Off;
        #[cfg(unix)]
        let signals = handled.then(signals::watch).and_then(|watch| {
            watch.inspect_err(|error| global::warn(format!("cannot install signal handlers: {error}"))).ok()
        });
        #[cfg(unix)]
        at_exit::watch();
        #[cfg(unix)]
        let hangup =
            (handled && pipeline.config().log_file.is_some()).then(hangup::reopen_on_hangup).and_then(|hangup| {
                let warn = |error: &_| global::warn(format!("cannot handle SIGHUP to reopen the log file: {error}"));
                hangup.inspect_err(warn).ok().flatten()
            });
        #[cfg(feature = "prometheus")]
        let server = prometheus::serve(&pipeline);
        Ok(Guard {
            early_drop: EarlyDrop::watch(&pipeline),
            log_level,
            self_checks: Some(SelfChecks::new(pipeline.config())),
            #[cfg(unix)]
            signals,
            #[cfg(unix)]
            hangup,
            #[cfg(feature = "prometheus")]
            server,
            pipeline,
        })
    }
}
