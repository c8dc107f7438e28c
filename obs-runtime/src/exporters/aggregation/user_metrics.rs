//! The program's own metrics, from the macros of the `metrics` crate, as an exporter keeps them.
//!
//! Histograms use buckets, which bounds their memory; count and sum are exact.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::exporters::interface::UserMetrics;
use crate::metrics::catalogue::Kind;
use crate::metrics::drop_counters;
use crate::metrics::snapshot::{Labels, SeriesValue};

/// What differs between the exporters that keep metrics.
#[derive(Debug)]
pub struct Keeper {
    /// The name of the exporter.
    pub exporter: &'static str,
    /// Upper bounds of the buckets of the histogram of that name.
    pub bounds: fn(&str) -> &'static [f64],
    /// The value of a gauge that was never set; NaN for none.
    pub unset_gauge: f64,
    /// Whether the exporter reads the metrics. The program keeps its handles, so each of them checks.
    pub enabled: AtomicBool,
}

impl Keeper {
    /// An exporter that does not read metrics yet.
    pub const fn new(exporter: &'static str, bounds: fn(&str) -> &'static [f64], unset_gauge: f64) -> Self {
        Self { exporter, bounds, unset_gauge, enabled: AtomicBool::new(false) }
    }

    /// Sets whether metrics are counted from now on.
    pub fn set_enabled(&self, enabled: bool) {
        self.enabled.store(enabled, Ordering::SeqCst);
    }

    fn is_enabled(&self) -> bool {
        self.enabled.load(Ordering::Relaxed)
    }
}

/// The most metrics whose descriptions are kept.
#[cfg(feature = "otlp")]
const MAX_DESCRIPTIONS: usize = 10_000;

/// The program's metrics.
#[derive(Debug)]
pub struct UserMetricRegistry {
    keeper: &'static Keeper,
    counters: Mutex<HashMap<Key, Arc<CounterCell>>>,
    gauges: Mutex<HashMap<Key, Arc<GaugeCell>>>,
    histograms: Mutex<HashMap<Key, Arc<HistogramCell>>>,
    /// The bounds of each histogram: those at its first registration.
    bounds: Mutex<HashMap<String, &'static [f64]>>,
    #[cfg(feature = "otlp")]
    descriptions: Mutex<HashMap<String, Description>>,
}

/// What the program says of a metric.
#[cfg(feature = "otlp")]
#[derive(Clone, Debug, Default)]
pub struct Description {
    pub unit: Option<Unit>,
    pub text: SharedString,
}

/// A series of the program.
#[derive(Clone, Debug)]
pub struct UserSeries {
    pub name: String,
    pub kind: Kind,
    pub labels: Labels,
    pub value: SeriesValue,
}

impl UserMetricRegistry {
    /// An empty registry.
    pub fn new(keeper: &'static Keeper) -> Self {
        Self {
            keeper,
            counters: Mutex::default(),
            gauges: Mutex::default(),
            histograms: Mutex::default(),
            bounds: Mutex::default(),
            #[cfg(feature = "otlp")]
            descriptions: Mutex::default(),
        }
    }

    /// What the program says of a metric.
    #[cfg(feature = "otlp")]
    pub fn description(&self, name: &str) -> Description {
        let descriptions = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        descriptions.get(name).cloned().unwrap_or_default()
    }

    /// Upper bounds of the buckets of the histogram of that name.
    pub fn bounds(&self, name: &str) -> &'static [f64] {
        let mut bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = bounds.get(name) {
            return known;
        }
        let found = (self.keeper.bounds)(name);
        bounds.insert(name.to_owned(), found);
        found
    }

    /// Keeps a description, if an exporter reads it.
    #[cfg(feature = "otlp")]
    fn describe(&self, name: &KeyName, unit: Option<Unit>, text: SharedString) {
        let mut descriptions = self.descriptions.lock().unwrap_or_else(PoisonError::into_inner);
        if descriptions.len() < MAX_DESCRIPTIONS || descriptions.contains_key(name.as_str()) {
            descriptions.insert(name.as_str().to_owned(), Description { unit, text });
        }
    }

    #[cfg(not(feature = "otlp"))]
    #[expect(clippy::unused_self, reason = "as with the feature otlp")]
    fn describe(&self, _: &KeyName, _: Option<Unit>, _: SharedString) {}

    /// The current values of all series.
    pub fn series(&self) -> Vec<UserSeries> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let count = |count: &CounterCell| SeriesValue::Number(count.value.load(Ordering::Relaxed) as f64);
        let gauge = |gauge: &GaugeCell| SeriesValue::Number(gauge.get());
        [
            read(&self.counters, Kind::Counter, count),
            read(&self.gauges, Kind::Gauge, gauge),
            read(&self.histograms, Kind::Histogram, HistogramCell::get),
        ]
        .concat()
    }
}

fn read<T>(series: &Mutex<HashMap<Key, Arc<T>>>, kind: Kind, value: impl Fn(&T) -> SeriesValue) -> Vec<UserSeries> {
    let series = series.lock().unwrap_or_else(PoisonError::into_inner);
    let one = |(key, counted): (&Key, &Arc<T>)| {
        let labels =
            key.labels().map(|label| (Cow::Owned(label.key().to_owned()), Cow::Owned(label.value().to_owned())));
        UserSeries { name: key.name().to_owned(), kind, labels: labels.collect(), value: value(counted) }
    };
    series.iter().map(one).collect()
}

fn handle<T>(series: &Mutex<HashMap<Key, Arc<T>>>, key: &Key, cell: impl FnOnce() -> T) -> Arc<T> {
    let mut series = series.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(series.entry(key.clone()).or_insert_with(|| Arc::new(cell())))
}

#[derive(Debug)]
struct CounterCell {
    keeper: &'static Keeper,
    value: AtomicU64,
}

impl CounterFn for CounterCell {
    fn increment(&self, by: u64) {
        if self.keeper.is_enabled() {
            self.value.fetch_add(by, Ordering::Relaxed);
        }
    }

    fn absolute(&self, value: u64) {
        if self.keeper.is_enabled() {
            self.value.fetch_max(value, Ordering::Relaxed);
        }
    }
}

/// The bits of an `f64`.
#[derive(Debug)]
struct GaugeCell {
    keeper: &'static Keeper,
    bits: AtomicU64,
}

impl GaugeCell {
    fn get(&self) -> f64 {
        f64::from_bits(self.bits.load(Ordering::Relaxed))
    }

    fn change(&self, change: impl Fn(f64) -> f64) {
        if self.keeper.is_enabled() {
            update(&self.bits, |value| change(if value.is_nan() { 0.0 } else { value }));
        }
    }
}

/// Changes the `f64` with these bits.
fn update(bits: &AtomicU64, change: impl Fn(f64) -> f64) {
    let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
    // Cannot fail: the closure always returns `Some`.
    let _ = bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
}

impl GaugeFn for GaugeCell {
    fn increment(&self, by: f64) {
        self.change(|value| value + by);
    }

    fn decrement(&self, by: f64) {
        self.change(|value| value - by);
    }

    fn set(&self, value: f64) {
        self.change(|_| value);
    }
}

/// Observations by bucket, allocated by the first one.
#[derive(Debug)]
struct HistogramCell {
    keeper: &'static Keeper,
    bounds: &'static [f64],
    buckets: OnceLock<Buckets>,
}

#[derive(Debug)]
struct Buckets {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl HistogramCell {
    fn get(&self) -> SeriesValue {
        match self.buckets.get() {
            None => SeriesValue::Histogram { counts: vec![0; self.bounds.len() + 1], sum: 0.0 },
            Some(buckets) => SeriesValue::Histogram {
                // Read the sum first: a concurrent observation is then missing in the sum, not in the counts.
                sum: f64::from_bits(buckets.sum.load(Ordering::Acquire)),
                counts: buckets.counts.iter().map(|count| count.load(Ordering::Acquire)).collect(),
            },
        }
    }
}

impl HistogramFn for HistogramCell {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, times: usize) {
        if !self.keeper.is_enabled() || times == 0 {
            return;
        }
        if !value.is_finite() {
            drop_counters::count(self.keeper.exporter, "not_finite", times as u64);
            return;
        }
        let buckets = self.buckets.get_or_init(|| Buckets {
            counts: (0..=self.bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        });
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        update(&buckets.sum, |sum| sum + value * times as f64);
        let bucket = self.bounds.partition_point(|&bound| bound < value);
        buckets.counts[bucket].fetch_add(times as u64, Ordering::Release);
    }
}

impl UserMetrics for UserMetricRegistry {
    fn take_warnings(&self) -> Vec<String> {
        // The exporter finds conflicts when it sends.
        Vec::new()
    }
}

impl Recorder for UserMetricRegistry {
    fn describe_counter(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, unit, description);
    }

    fn describe_gauge(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, unit, description);
    }

    fn describe_histogram(&self, name: KeyName, unit: Option<Unit>, description: SharedString) {
        self.describe(&name, unit, description);
    }

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        let keeper = self.keeper;
        Counter::from_arc(handle(&self.counters, key, || CounterCell { keeper, value: AtomicU64::new(0) }))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        let keeper = self.keeper;
        let bits = || AtomicU64::new(keeper.unset_gauge.to_bits());
        Gauge::from_arc(handle(&self.gauges, key, || GaugeCell { keeper, bits: bits() }))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        let (keeper, bounds) = (self.keeper, self.bounds(key.name()));
        let cell = || HistogramCell { keeper, bounds, buckets: OnceLock::new() };
        Histogram::from_arc(handle(&self.histograms, key, cell))
    }
}
