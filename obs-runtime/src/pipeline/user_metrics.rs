//! The recorder for the program's own metrics, from the macros of the `metrics` crate: `counter!`, `gauge!`, `histogram!`.
//!
//! The recorder redacts and cuts label values, limits the series of a metric to `OBS_MAX_SERIES`, and hands the keys to
//! every exporter that implements [`UserMetrics`](crate::exporters::interface::UserMetrics). A process can have one recorder,
//! which stays installed until it ends. If the program has installed its own, obs warns once and leaves it in place.

use std::collections::HashMap;
#[cfg(feature = "testing")]
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Once, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_util::layers::FanoutBuilder;

use crate::config::validated::Config;
use crate::events::panics::caught;
use crate::exporters::aggregation::{user_buckets, user_snapshot};
#[cfg(feature = "datadog")]
use crate::exporters::datadog;
use crate::exporters::interface::UserMetrics;
#[cfg(feature = "otlp")]
use crate::exporters::otlp;
#[cfg(feature = "prometheus")]
use crate::exporters::prometheus;
use crate::metrics::cardinality::{OTHER, exceeds, truncate, truncate_to};
use crate::metrics::drop_counters;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// How often exporters do their upkeep.
const UPKEEP: Duration = Duration::from_secs(1);

/// The longest key that is kept as the program gave it, in bytes.
const MAX_KEPT_KEY: usize = 4096;

/// The most series of a metric while obs is not initialised.
const DEFAULT_MAX_SERIES: usize = 1000;

/// The longest description of a metric, in characters.
const MAX_DESCRIPTION_CHARS: usize = 1000;

/// Whether the program asked for a handle since [`forget_use`].
static IS_USED: AtomicBool = AtomicBool::new(false);

/// Forgets that the program has recorded metrics.
pub fn forget_use() {
    IS_USED.store(false, Ordering::Relaxed);
}

/// Whether the program has recorded a metric since [`forget_use`], or could have, as it asked for a handle.
pub fn is_used() -> bool {
    IS_USED.load(Ordering::Relaxed)
}

/// The exporters that keep users' metrics. They live as long as the process.
fn exporters() -> Vec<&'static dyn UserMetrics> {
    vec![
        user_snapshot::registry(),
        #[cfg(feature = "prometheus")]
        prometheus::user_metrics::registry(),
        #[cfg(feature = "datadog")]
        datadog::user_metrics::registry(),
        #[cfg(feature = "otlp")]
        otlp::user_metrics::registry(),
    ]
}

/// Installs the recorder of obs for the macros of the `metrics` crate, as `init` does. Returns whether it is the process' recorder.
///
/// A handle that was made before the process has a recorder never counts anything: that is a rule of the `metrics` crate. A program
/// that keeps handles in statics, and makes them before `init`, calls this first. What is counted before `init` is exported to
/// Prometheus after it.
///
/// ```
/// obs_runtime::install_metrics_recorder();
/// let rows = metrics::counter!("rows.loaded");
/// let guard = obs_runtime::Observability::builder().prometheus_port(0).init()?;
/// rows.increment(1);
/// # drop(guard);
/// # Ok::<_, obs_runtime::InitError>(())
/// ```
pub fn install_metrics_recorder() -> bool {
    is_installed()
}

/// Installs the recorder on the first call. Warns if the program has one already.
pub fn install(config: &Config) {
    static WARNED: Once = Once::new();
    user_buckets::set(config);
    if !is_installed() {
        WARNED.call_once(|| {
            global::warn_with_help("own-metrics-missing", 
                "a recorder of the metrics crate is installed already, and obs does not see its metrics: remove it, or call \
                 metrics_macros(false) on the builder"
                    .to_owned(),
            );
        });
    }
}

/// Installs the recorder on the first call. Returns whether it could be.
pub fn is_installed() -> bool {
    static INSTALLED: OnceLock<bool> = OnceLock::new();
    *INSTALLED.get_or_init(|| {
        let exporters = exporters();
        let targets =
            exporters.iter().fold(FanoutBuilder::default(), |fanout, exporter| fanout.add_recorder(*exporter));
        metrics::set_global_recorder(ObsRecorder::new(exporters, targets.build())).is_ok()
    })
}

/// A recorder of one pipeline.
#[cfg(feature = "testing")]
pub type Recording = Arc<dyn Recorder + Send + Sync>;

/// A recorder for one pipeline, with the redaction and the limits of the installed one.
#[cfg(feature = "testing")]
pub fn scoped(target: impl Recorder + Send + Sync + 'static) -> Recording {
    Arc::new(ObsRecorder::new(Vec::new(), target))
}

struct ObsRecorder<T> {
    exporters: Vec<&'static dyn UserMetrics>,
    /// Keeps the values of redacted keys.
    target: T,
    counters: Families<Counter>,
    gauges: Families<Gauge>,
    histograms: Families<Histogram>,
}

/// Handles by name and key.
type Families<H> = RwLock<HashMap<String, Family<H>>>;

/// The handles of one metric.
struct Family<H> {
    /// By the program's key, if it is short; as many as there may be series.
    by_key: HashMap<Key, H>,
    /// By the redacted key.
    by_redacted_key: HashMap<Key, H>,
}

impl<H> Default for Family<H> {
    fn default() -> Self {
        Self { by_key: HashMap::new(), by_redacted_key: HashMap::new() }
    }
}

impl<T: Recorder> ObsRecorder<T> {
    fn new(exporters: Vec<&'static dyn UserMetrics>, target: T) -> Self {
        Self {
            exporters,
            target,
            counters: RwLock::default(),
            gauges: RwLock::default(),
            histograms: RwLock::default(),
        }
    }

    /// The handle of a key; `None` for a metric past the limit of metrics. While obs is not initialised there is one too: it
    /// counts when an exporter is started later.
    fn handle<H: Clone>(&self, families: &Families<H>, key: &Key, make: impl Fn(&Key) -> H) -> Option<H> {
        // Written once, so that threads do not contend for it.
        if !is_used() && !global::interest().is_off() {
            IS_USED.store(true, Ordering::Relaxed);
        }
        let known = families.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(key.name()).and_then(|family| family.by_key.get(key)) {
            return Some(handle.clone());
        }
        drop(known);
        let pipeline = global::pipeline();
        let handle = Self::new_handle(families, key, make, pipeline.as_deref());
        for warning in self.exporters.iter().flat_map(|exporter| exporter.take_warnings()) {
            global::warn(warning);
        }
        handle
    }

    /// The handle of a key that is not known yet, or past the limit of series.
    fn new_handle<H: Clone>(
        families: &Families<H>,
        key: &Key,
        make: impl Fn(&Key) -> H,
        pipeline: Option<&dyn Pipeline>,
    ) -> Option<H> {
        let limit = pipeline.map_or(DEFAULT_MAX_SERIES, |pipeline| pipeline.config().max_series);
        let (redacted_key, name) = (redacted(key), truncate(key.name().to_owned()));
        let mut families = families.write().unwrap_or_else(PoisonError::into_inner);
        if !families.contains_key(&name) && families.len() >= limit {
            drop(families);
            drop_counters::count("metrics", "names", 1);
            if let Some(pipeline) = pipeline {
                pipeline.overflow("(names of the program's own metrics)");
            }
            return None;
        }
        let family = families.entry(name).or_default();
        let full = !family.by_redacted_key.contains_key(&redacted_key) && family.by_redacted_key.len() >= limit;
        let redacted_key = if full { overflow_key(&redacted_key) } else { redacted_key };
        let handle = family.by_redacted_key.entry(redacted_key).or_insert_with_key(make).clone();
        if !full && family.by_key.len() < limit && is_short(key) {
            family.by_key.insert(key.to_retained(), handle.clone());
        }
        drop(families);
        if let Some(pipeline) = pipeline.filter(|_| full) {
            pipeline.overflow(key.name());
        }
        Some(handle)
    }

    /// Starts the upkeep thread with the first histogram, the only kind that needs it.
    fn start_upkeep(&self) {
        static STARTED: OnceLock<bool> = OnceLock::new();
        if self.exporters.is_empty() {
            return;
        }
        STARTED.get_or_init(|| {
            let exporters = self.exporters.clone();
            let upkeep = move || loop {
                thread::sleep(UPKEEP);
                for exporter in &exporters {
                    if caught(|| exporter.upkeep()).is_err() {
                        drop_counters::count("metrics", "panic", 1);
                    }
                }
            };
            thread::Builder::new().name("obs-upkeep".to_owned()).spawn(upkeep).is_ok()
        });
    }
}

fn redacted(key: &Key) -> Key {
    let text = |text: &str| truncate(global::redact(text.to_owned()));
    let label = |label: &Label| {
        let value = global::redact_named(label.key(), label.value().to_owned());
        Label::new(text(label.key()), truncate(value))
    };
    let labels: Vec<Label> = key.labels().map(label).collect();
    Key::from_parts(text(key.name()), labels)
}

/// Whether a key may be kept as the program gave it. A longer one is redacted and truncated at each call.
fn is_short(key: &Key) -> bool {
    let labels = key.labels().map(|label| label.key().len().saturating_add(label.value().len()));
    labels.fold(key.name().len(), usize::saturating_add) <= MAX_KEPT_KEY
}

/// A description as it is kept: redacted and at most [`MAX_DESCRIPTION_CHARS`] long.
fn kept(description: &SharedString) -> SharedString {
    let cut = if exceeds(description, MAX_DESCRIPTION_CHARS) {
        truncate_to(description, MAX_DESCRIPTION_CHARS)
    } else {
        description.to_string()
    };
    global::redact(cut).into()
}

/// The key of all series past the limit.
fn overflow_key(key: &Key) -> Key {
    let labels: Vec<Label> = key.labels().map(|label| Label::new(label.key().to_owned(), OTHER)).collect();
    Key::from_parts(key.name().to_owned(), labels)
}

impl<T: Recorder> Recorder for ObsRecorder<T> {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.target.describe_counter(name, unit, kept(&description));
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.target.describe_gauge(name, unit, kept(&description));
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        if user_buckets::describe(name.as_str(), unit) {
            // Made again with the buckets and the name of the unit.
            self.histograms.write().unwrap_or_else(PoisonError::into_inner).remove(name.as_str());
        }
        self.target.describe_histogram(name, unit, kept(&description));
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let make = |key: &Key| self.target.register_counter(key, metadata);
        self.handle(&self.counters, key, make).unwrap_or_else(Counter::noop)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let make = |key: &Key| self.target.register_gauge(key, metadata);
        self.handle(&self.gauges, key, make).unwrap_or_else(Gauge::noop)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.start_upkeep();
        let make = |key: &Key| self.target.register_histogram(key, metadata);
        self.handle(&self.histograms, key, make).unwrap_or_else(Histogram::noop)
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use super::*;
    use crate::exporters::memory_metrics::MemoryMetrics;

    #[test]
    fn a_histogram_that_is_described_again_and_again_is_bounded() {
        let kept = Arc::new(MemoryMetrics::default());
        let recorder = scoped(Arc::clone(&kept));
        for request in 0..2 * DEFAULT_MAX_SERIES {
            recorder.describe_histogram("described.again.seconds".into(), Some(Unit::Seconds), "A test.".into());
            let key = Key::from_parts("described.again.seconds", vec![Label::new("request", request.to_string())]);
            recorder.register_histogram(&key, &Metadata::new("", metrics::Level::INFO, None)).record(1.0);
        }
        assert!(kept.series().len() <= DEFAULT_MAX_SERIES + 1, "{}", kept.series().len());
    }
}
