//! What the program counts by the macros of the `metrics` crate, kept for Datadog.
//!
//! Counters and gauges are numbers. Histograms are counted in buckets, as nothing else keeps a bounded room: twenty for each
//! power of ten, so that a value is told with less than 13 % of error, and count and sum exactly.

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

/// Whether anybody sends what is counted. Handles stay with the program, so each of them asks.
static WANTED: AtomicBool = AtomicBool::new(false);

/// Upper bounds of histograms of which nobody knows the unit: values from 10⁻⁹ to 10¹⁵ closely, negative ones coarsely.
pub fn bounds() -> &'static [f64] {
    static BOUNDS: OnceLock<Vec<f64>> = OnceLock::new();
    BOUNDS.get_or_init(|| {
        let power = |number: i32, each: i32| 10_f64.powf(f64::from(number) / f64::from(each));
        let negative = (-45..=75).rev().map(|number| -power(number, 5));
        negative.chain([0.0]).chain((-180..=300).map(|number| power(number, 20))).collect()
    })
}

/// Users' metrics, as Datadog gets them.
#[derive(Debug, Default)]
pub struct Users {
    counters: Mutex<HashMap<Key, Arc<Count>>>,
    gauges: Mutex<HashMap<Key, Arc<Level>>>,
    histograms: Mutex<HashMap<Key, Arc<Observed>>>,
}

/// The one of this process.
pub fn users() -> &'static Users {
    static USERS: OnceLock<Users> = OnceLock::new();
    USERS.get_or_init(Users::default)
}

/// One series that the program counts by itself.
#[derive(Clone, Debug)]
pub struct UserSeries {
    pub name: String,
    pub kind: Kind,
    pub labels: Labels,
    pub value: SeriesValue,
}

impl Users {
    /// Says whether what is counted from now on is wanted.
    pub fn want(wanted: bool) {
        WANTED.store(wanted, Ordering::SeqCst);
    }

    /// All series at this moment.
    pub fn series(&self) -> Vec<UserSeries> {
        #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
        let count = |count: &Count| SeriesValue::Number(count.0.load(Ordering::Relaxed) as f64);
        let level = |level: &Level| SeriesValue::Number(level.get());
        [
            read(&self.counters, Kind::Counter, count),
            read(&self.gauges, Kind::Gauge, level),
            read(&self.histograms, Kind::Histogram, Observed::get),
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

fn wanted() -> bool {
    WANTED.load(Ordering::Relaxed)
}

#[derive(Debug, Default)]
struct Count(AtomicU64);

impl CounterFn for Count {
    fn increment(&self, by: u64) {
        if wanted() {
            self.0.fetch_add(by, Ordering::Relaxed);
        }
    }

    fn absolute(&self, value: u64) {
        if wanted() {
            self.0.fetch_max(value, Ordering::Relaxed);
        }
    }
}

/// Bits of a number; not a number before it was set.
#[derive(Debug)]
struct Level(AtomicU64);

impl Default for Level {
    fn default() -> Self {
        Self(AtomicU64::new(f64::NAN.to_bits()))
    }
}

impl Level {
    fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }

    fn change(&self, change: impl Fn(f64) -> f64) {
        if wanted() {
            add(&self.0, |value| change(if value.is_nan() { 0.0 } else { value }));
        }
    }
}

/// Changes the number whose bits these are.
fn add(bits: &AtomicU64, change: impl Fn(f64) -> f64) {
    let changed = |bits| Some(change(f64::from_bits(bits)).to_bits());
    // It never gives up.
    let _ = bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, changed);
}

impl GaugeFn for Level {
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

/// Observations by bucket, once there are any.
#[derive(Debug, Default)]
struct Observed(OnceLock<Buckets>);

#[derive(Debug)]
struct Buckets {
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Observed {
    fn get(&self) -> SeriesValue {
        match self.0.get() {
            None => SeriesValue::Histogram { counts: vec![0; bounds().len() + 1], sum: 0.0 },
            Some(buckets) => SeriesValue::Histogram {
                // The sum first: what is observed meanwhile is then missing in it, not in the counts.
                sum: f64::from_bits(buckets.sum.load(Ordering::Acquire)),
                counts: buckets.counts.iter().map(|count| count.load(Ordering::Acquire)).collect(),
            },
        }
    }
}

impl HistogramFn for Observed {
    fn record(&self, value: f64) {
        self.record_many(value, 1);
    }

    fn record_many(&self, value: f64, times: usize) {
        if !wanted() || times == 0 {
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
        add(&buckets.sum, |sum| sum + value * times as f64);
        let bucket = bounds().partition_point(|&bound| bound < value);
        buckets.counts[bucket].fetch_add(times as u64, Ordering::Release);
    }
}

impl UserMetrics for Users {
    fn take_warnings(&self) -> Vec<String> {
        // What clashes is seen where names and tags are made safe, when it is sent.
        Vec::new()
    }
}

impl Recorder for Users {
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
    use crate::exporters::datadog::distribution::portions;

    #[test]
    fn bounds_ascend_and_stand_close() {
        let bounds = bounds();
        assert!(bounds.is_sorted_by(|left, right| left < right) && bounds.len() < 700);
        let positive: Vec<_> = bounds.iter().filter(|bound| **bound > 0.0).collect();
        assert!(positive.windows(2).all(|pair| pair[1] / pair[0] < 1.13));
    }

    #[test]
    fn what_is_observed_is_told_with_its_sum_also_when_negative() {
        let values = [-3.5, 0.0, 1e-12, 0.02, 7.0, 7.0, 1e20];
        let observed = Observed::default();
        WANTED.store(true, Ordering::SeqCst);
        for value in values {
            observed.record(value);
        }
        observed.record(f64::NAN);
        let SeriesValue::Histogram { counts, sum } = observed.get() else { panic!("a histogram") };
        let portions = portions(bounds(), &counts, sum);
        assert_eq!(portions.iter().map(|portion| portion.count).sum::<u64>(), 7);
        assert!(portions[1].value.abs() < f64::MIN_POSITIVE, "{portions:?}");
        assert!(portions[0].value < -2.5 && portions[0].value >= -4.0, "{portions:?}");
        assert!((sum - values.iter().sum::<f64>()).abs() < 1.0);
    }
}
