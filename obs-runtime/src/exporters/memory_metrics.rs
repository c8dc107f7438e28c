//! Keeps the program's own metrics in memory, for tests.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use metrics::{Counter, Gauge, Histogram, HistogramFn, Key, KeyName, Metadata, Recorder, SharedString, Unit};

use crate::metrics::snapshot::{UserMetric, UserMetricValue};

/// The series by their redacted keys.
#[derive(Debug, Default)]
pub struct MemoryMetrics {
    counters: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    gauges: Mutex<BTreeMap<Key, Arc<AtomicU64>>>,
    histograms: Mutex<BTreeMap<Key, Arc<Observations>>>,
}

#[derive(Debug, Default)]
struct Observations(Mutex<Vec<f64>>);

impl HistogramFn for Observations {
    fn record(&self, value: f64) {
        lock(&self.0).push(value);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemoryMetrics {
    /// The series: counters, gauges, histograms, each sorted by name and labels.
    pub fn series(&self) -> Vec<UserMetric> {
        let counter = |cell: &AtomicU64| UserMetricValue::Counter(cell.load(Ordering::SeqCst));
        let gauge = |cell: &AtomicU64| UserMetricValue::Gauge(f64::from_bits(cell.load(Ordering::SeqCst)));
        let counters = lock(&self.counters).iter().map(|(key, cell)| metric(key, counter(cell))).collect::<Vec<_>>();
        let gauges = lock(&self.gauges).iter().map(|(key, cell)| metric(key, gauge(cell))).collect();
        let histogram = |cell: &Observations| UserMetricValue::Histogram(lock(&cell.0).clone());
        let histograms = lock(&self.histograms).iter().map(|(key, cell)| metric(key, histogram(cell))).collect();
        [counters, gauges, histograms].concat()
    }
}

fn metric(key: &Key, value: UserMetricValue) -> UserMetric {
    let text = |text: &str| Cow::Owned(text.to_owned());
    let labels = key.labels().map(|label| (text(label.key()), text(label.value()))).collect();
    UserMetric { name: key.name().to_owned(), labels, value }
}

fn cell<C: Default>(cells: &Mutex<BTreeMap<Key, Arc<C>>>, key: &Key) -> Arc<C> {
    Arc::clone(lock(cells).entry(key.clone()).or_default())
}

impl Recorder for MemoryMetrics {
    fn describe_counter(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_gauge(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn describe_histogram(&self, _: KeyName, _: Option<Unit>, _: SharedString) {}

    fn register_counter(&self, key: &Key, _: &Metadata<'_>) -> Counter {
        Counter::from_arc(cell(&self.counters, key))
    }

    fn register_gauge(&self, key: &Key, _: &Metadata<'_>) -> Gauge {
        Gauge::from_arc(cell(&self.gauges, key))
    }

    fn register_histogram(&self, key: &Key, _: &Metadata<'_>) -> Histogram {
        Histogram::from_arc(cell(&self.histograms, key))
    }
}
