//! The program's own metrics, from the macros of the `metrics` crate, kept for Datadog.
//!
//! Histograms use buckets, which bounds their memory: twenty for each power of ten. A value has an error below 13 %; count
//! and sum are exact.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use metrics::{
    Counter, CounterFn, Gauge, GaugeFn, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit,
};

use crate::exporters::datadog::names::EXPORTER;
use crate::exporters::interface::UserMetrics;
use crate::metrics::catalogue::Kind;
use crate::metrics::drop_counters;
use crate::metrics::snapshot::{Labels, SeriesValue};

/// Whether an exporter reads the metrics. The program keeps its handles, so each of them checks.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Upper bounds of histograms of unknown unit: fine from 10⁻⁹ to 10¹⁵, coarse below zero.
pub fn bounds() -> &'static [f64] {
    static BOUNDS: OnceLock<Vec<f64>> = OnceLock::new();
    BOUNDS.get_or_init(|| {
        let power = |number: i32, each: i32| 10_f64.powf(f64::from(number) / f64::from(each));
        let negative = (-45..=75).rev().map(|number| -power(number, 5));
        negative.chain([0.0]).chain((-180..=300).map(|number| power(number, 20))).collect()
    })
}

/// The program's metrics.
#[derive(Debug, Default)]
pub struct UserMetricRegistry {
    counters: Mutex<HashMap<Key, Arc<CounterCell>>>,
    gauges: Mutex<HashMap<Key, Arc<GaugeCell>>>,
    histograms: Mutex<HashMap<Key, Arc<HistogramCell>>>,
}

/// The registry of this process.
pub fn registry() -> &'static UserMetricRegistry {
    static REGISTRY: OnceLock<UserMetricRegistry> = OnceLock::new();
    REGISTRY.get_or_init(UserMetricRegistry::default)
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
    /// Sets whether metrics are counted from now on.
    pub fn set_enabled(enabled: bool) {
        ENABLED.store(enabled, Ordering::SeqCst);
    }

    /// The current values of all series.
    pub fn series(&self) -> Vec<UserSeries> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let count = |count: &CounterCell| SeriesValue::Number(count.0.load(Ordering::Relaxed) as f64);
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

fn handle<T: Default>(series: &Mutex<HashMap<Key, Arc<T>>>, key: &Key) -> Arc<T> {
    let mut series = series.lock().unwrap_or_else(PoisonError::into_inner);
    Arc::clone(series.entry(key.clone()).or_default())
}

fn enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

#[derive(Debug, Default)]
struct CounterCell(AtomicU64);

impl CounterFn for CounterCell {
    fn increment(&self, by: u64) {
        if enabled() {
            self.0.fetch_add(by, Ordering::Relaxed);
        }
    }

    fn absolute(&self, value: u64) {
        if enabled() {
            self.0.fetch_max(value, Ordering::Relaxed);
        }
    }
}

/// The bits of an `f64`; NaN until it is set.
#[derive(Debug)]
struct GaugeCell(AtomicU64);

impl Default for GaugeCell {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl GaugeCell {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn change(&self, change: impl Fn(f64) -> f64) {
        if enabled() {
            update(&self.0, |value| change(if value.is_nan() { 0.0 } else { value }));
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
#[derive(Debug, Default)]
struct HistogramCell(OnceLock<Buckets>);

#[derive(Debug)]
struct Buckets {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl HistogramCell {
    fn get(&self) -> SeriesValue {
        match self.0.get() {
            None => SeriesValue::Histogram { counts: vec![0; bounds().len() + 1], sum: 0.0 },
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
        if !enabled() || times == 0 {
            return;
        }
        if !value.is_finite() {
            drop_counters::count(EXPORTER, "not_finite", times as u64);
            return;
        }
        let buckets = self.0.get_or_init(|| Buckets {
            counts: (0..=bounds().len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        });
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        update(&buckets.sum, |sum| sum + value * times as f64);
        let bucket = bounds().partition_point(|&bound| bound < value);
        buckets.counts[bucket].fetch_add(times as u64, Ordering::Release);
    }
}

impl UserMetrics for UserMetricRegistry {
    fn take_warnings(&self) -> Vec<String> {
        // The delta tracker finds conflicts when it sends.
        Vec::new()
    }
}

impl Recorder for UserMetricRegistry {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(handle(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(handle(&self.gauges, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(handle(&self.histograms, key))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporters::datadog::distribution::weighted_samples;

    #[test]
    fn bounds_ascend_by_less_than_13_percent() {
        let bounds = bounds();
        assert!(bounds.is_sorted_by(|left, right| left < right) && bounds.len() < 700);
        let positive: Vec<_> = bounds.iter().filter(|bound| **bound > 0.0).collect();
        assert!(positive.windows(2).all(|pair| pair[1] / pair[0] < 1.13));
    }

    #[test]
    fn observations_have_their_count_and_sum_also_when_negative() {
        let values = [-3.5, 0.0, 1e-12, 0.02, 7.0, 7.0, 1e20];
        let observed = HistogramCell::default();
        ENABLED.store(true, Ordering::SeqCst);
        for value in values {
            observed.record(value);
        }
        observed.record(f64::NAN);
        let SeriesValue::Histogram { counts, sum } = observed.get() else { panic!("a histogram") };
        let samples = weighted_samples(bounds(), &counts, sum);
        assert_eq!(samples.iter().map(|sample| sample.count).sum::<u64>(), 7);
        assert!(samples[1].value.abs() < f64::MIN_POSITIVE, "{samples:?}");
        assert!(samples[0].value < -2.5 && samples[0].value >= -4.0, "{samples:?}");
        assert!((sum - values.iter().sum::<f64>()).abs() < 1.0);
    }
}
