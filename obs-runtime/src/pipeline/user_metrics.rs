//! What the program counts by itself, with the macros of the `metrics` crate: `counter!`, `gauge!`, `histogram!`.
//!
//! There can be one recorder in a process. Ours hands out to every exporter that keeps users' metrics
//! ([`UserMetrics`](crate::exporters::interface::UserMetrics)) what it is given: label values redacted and cut, and no more series of a
//! metric than `OBS_MAX_SERIES`. It stays until the process ends, as the crate has it; so does what was counted. Where the
//! program has a recorder of its own, that one stays, and there is one warning.

use std::collections::HashMap;
use std::sync::{Once, OnceLock, PoisonError, RwLock};
use std::thread;
use std::time::Duration;

use metrics::{Counter, Gauge, Histogram, Key, KeyName, Label, Metadata, Recorder, SharedString, Unit};
use metrics_util::layers::{Fanout, FanoutBuilder};

#[cfg(feature = "datadog")]
use crate::exporters::datadog;
use crate::exporters::interface::UserMetrics;
#[cfg(feature = "prometheus")]
use crate::exporters::prometheus;
use crate::metrics::cardinality::{OTHER, cut};
use crate::metrics::drop_counters;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// How often exporters make small what has gathered.
const UPKEEP: Duration = Duration::from_secs(1);

/// Who keeps users' metrics. An exporter is made once and stays.
fn exporters() -> Vec<&'static dyn UserMetrics> {
    vec![
        #[cfg(feature = "prometheus")]
        prometheus::user_metrics::users(),
        #[cfg(feature = "datadog")]
        datadog::user_metrics::users(),
    ]
}

/// Installs the recorder for the whole process, unless it is there already. Warns once where the program has its own.
pub fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        if metrics::set_global_recorder(Front::new(exporters())).is_err() {
            global::warn(
                "the program has a recorder of its own for the macros of the crate metrics: what it counts by them does \
                 not come here. Install none, or call metrics_macros(false) on the builder"
                    .to_owned(),
            );
        }
    });
}

/// The recorder.
struct Front {
    exporters: Vec<&'static dyn UserMetrics>,
    all: Fanout,
    counters: Families<Counter>,
    gauges: Families<Gauge>,
    histograms: Families<Histogram>,
}

/// Handles by name and key.
type Families<H> = RwLock<HashMap<String, Family<H>>>;

/// The handles of one metric.
struct Family<H> {
    /// By the key as the program gives it; for as many as there may be series.
    given: HashMap<Key, H>,
    /// By the key as it is recorded.
    recorded: HashMap<Key, H>,
}

impl<H> Default for Family<H> {
    fn default() -> Self {
        Self { given: HashMap::new(), recorded: HashMap::new() }
    }
}

impl Front {
    fn new(exporters: Vec<&'static dyn UserMetrics>) -> Self {
        let all = exporters.iter().fold(FanoutBuilder::default(), |all, exporter| all.add_recorder(*exporter)).build();
        Self { exporters, all, counters: RwLock::default(), gauges: RwLock::default(), histograms: RwLock::default() }
    }

    /// The handle of a key; none while obs is not initialised, and for a metric past the limit.
    fn handle<H: Clone>(&self, families: &Families<H>, given: &Key, make: impl Fn(&Key) -> H) -> Option<H> {
        if global::interest().is_off() {
            return None;
        }
        let known = families.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(handle) = known.get(given.name()).and_then(|family| family.given.get(given)) {
            return Some(handle.clone());
        }
        drop(known);
        let pipeline = global::pipeline()?;
        let handle = Self::first_handle(families, given, make, &*pipeline);
        for warning in self.exporters.iter().flat_map(|exporter| exporter.take_warnings()) {
            global::warn(warning);
        }
        handle
    }

    /// What [`handle`](Self::handle) gives for a key that was not given before, or is past the limit.
    fn first_handle<H: Clone>(
        families: &Families<H>,
        given: &Key,
        make: impl Fn(&Key) -> H,
        pipeline: &dyn Pipeline,
    ) -> Option<H> {
        let limit = pipeline.config().max_series;
        let safe = redacted(given, pipeline);
        let mut families = families.write().unwrap_or_else(PoisonError::into_inner);
        if !families.contains_key(given.name()) && families.len() >= limit {
            drop(families);
            drop_counters::count("metrics", "names", 1);
            pipeline.overflow();
            return None;
        }
        let family = families.entry(given.name().to_owned()).or_default();
        let full = !family.recorded.contains_key(&safe) && family.recorded.len() >= limit;
        let safe = if full { others(&safe) } else { safe };
        let handle = family.recorded.entry(safe).or_insert_with_key(|key| make(key)).clone();
        if !full && family.given.len() < limit {
            family.given.insert(given.to_retained(), handle.clone());
        }
        drop(families);
        if full {
            pipeline.overflow();
        }
        Some(handle)
    }

    /// Starts the upkeep with the first histogram: nothing else gathers.
    fn keep_up(&self) {
        static STARTED: OnceLock<bool> = OnceLock::new();
        STARTED.get_or_init(|| {
            let exporters = self.exporters.clone();
            let upkeep = move || loop {
                thread::sleep(UPKEEP);
                for exporter in &exporters {
                    exporter.upkeep();
                }
            };
            thread::Builder::new().name("obs-upkeep".to_owned()).spawn(upkeep).is_ok()
        });
    }
}

/// The key as it may leave.
fn redacted(key: &Key, pipeline: &dyn Pipeline) -> Key {
    let label = |label: &Label| {
        let value = pipeline.named(label.key(), label.value().into()).into_owned();
        Label::new(label.key().to_owned(), cut(value))
    };
    let labels: Vec<Label> = key.labels().map(label).collect();
    Key::from_parts(pipeline.text(key.name().into()).into_owned(), labels)
}

/// The key of what is past the limit.
fn others(key: &Key) -> Key {
    let labels: Vec<Label> = key.labels().map(|label| Label::new(label.key().to_owned(), OTHER)).collect();
    Key::from_parts(key.name().to_owned(), labels)
}

impl Recorder for Front {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.all.describe_counter(name, unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.all.describe_gauge(name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.all.describe_histogram(name, unit, description);
    }

    fn register_counter(&self, key: &Key, metadata: &Metadata<'_>) -> Counter {
        let make = |key: &Key| self.all.register_counter(key, metadata);
        self.handle(&self.counters, key, make).unwrap_or_else(Counter::noop)
    }

    fn register_gauge(&self, key: &Key, metadata: &Metadata<'_>) -> Gauge {
        let make = |key: &Key| self.all.register_gauge(key, metadata);
        self.handle(&self.gauges, key, make).unwrap_or_else(Gauge::noop)
    }

    fn register_histogram(&self, key: &Key, metadata: &Metadata<'_>) -> Histogram {
        self.keep_up();
        let make = |key: &Key| self.all.register_histogram(key, metadata);
        self.handle(&self.histograms, key, make).unwrap_or_else(Histogram::noop)
    }
}
