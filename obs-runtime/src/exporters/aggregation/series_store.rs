//! The series of events, limited in number for each family.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::{Mutex, PoisonError};

use crate::metrics::cardinality::{MAX_LABEL_CHARS, OTHER, truncate};
use crate::metrics::catalogue::{FAMILIES, Family, Kind};
use crate::metrics::drop_counters;
use crate::metrics::snapshot::{Labels, SeriesValue, SnapshotBuilder};

/// Labels with a fixed set of values. They are kept past the limit of series, so that estimates are never added to actual
/// costs.
const FIXED_LABELS: [&str; 5] = ["outcome", "kind", "reason", "cache_hit", "severity"];

/// Series by family and labels.
#[derive(Debug)]
pub struct SeriesStore {
    max_series: usize,
    series: Mutex<HashMap<&'static str, HashMap<Labels, Series>>>,
    overflows: Mutex<Overflows>,
}

/// The metrics that have reached the limit of series.
#[derive(Debug, Default)]
struct Overflows {
    /// How often each was over the limit after the first time.
    all: BTreeMap<String, u64>,
    /// Those that are not warned of yet.
    new: Vec<String>,
}

/// The most metrics that are warned of.
const MAX_WARNED: usize = 100;

/// How many of the last observations are kept for a series: usually all between two deliveries.
const MAX_RECENT: usize = 25;

#[derive(Debug)]
struct Series {
    value: SeriesValue,
    /// The last observations, oldest first.
    recent: VecDeque<f64>,
}

impl SeriesStore {
    /// An empty store that keeps at most `max_series` series for each family.
    pub fn new(max_series: usize) -> Self {
        Self { max_series, series: Mutex::default(), overflows: Mutex::default() }
    }

    /// The metrics that have reached the limit of series since the last call. Each is returned once.
    pub fn take_overflows(&self) -> Vec<String> {
        std::mem::take(&mut self.overflows.lock().unwrap_or_else(PoisonError::into_inner).new)
    }

    /// All metrics that have reached the limit of series, sorted.
    pub fn overflows(&self) -> Vec<String> {
        self.overflows.lock().unwrap_or_else(PoisonError::into_inner).all.keys().cloned().collect()
    }

    /// How often each metric was over the limit after the first time.
    pub fn repeated_overflows(&self) -> BTreeMap<String, u64> {
        self.overflows.lock().unwrap_or_else(PoisonError::into_inner).all.clone()
    }

    /// Notes that a metric has reached the limit of series.
    pub fn overflow(&self, metric: &str) {
        drop_counters::count("metrics", "cardinality", 1);
        let mut overflows = self.overflows.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(repeated) = overflows.all.get_mut(metric) {
            *repeated += 1;
        } else if overflows.all.len() < MAX_WARNED {
            overflows.all.insert(metric.to_owned(), 0);
            overflows.new.push(metric.to_owned());
        }
    }

    /// Adds a value to a counter, sets a gauge to it, or observes it in a histogram.
    pub fn record(&self, family: &'static Family, labels: Labels, observed: f64) {
        self.update(family, labels, observed, family.kind);
    }

    /// Adds to a gauge, which starts at zero.
    pub fn increase(&self, gauge: &'static Family, labels: Labels, by: f64) {
        self.update(gauge, labels, by, Kind::Counter);
    }

    /// Records a value in the way of that kind.
    fn update(&self, family: &'static Family, mut labels: Labels, observed: f64, way: Kind) {
        for (_, value) in labels.iter_mut().filter(|(_, value)| value.len() > MAX_LABEL_CHARS) {
            *value = truncate(std::mem::take(value).into_owned()).into();
        }
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry(family.name).or_default();
        let labels = if series.len() >= self.max_series && !series.contains_key(&labels) {
            self.overflow(family.name);
            let value = |name: &str, value| if FIXED_LABELS.contains(&name) { value } else { Cow::Borrowed(OTHER) };
            labels.into_iter().map(|(name, known)| (name.clone(), value(&name, known))).collect()
        } else {
            labels
        };
        let found = series.entry(labels).or_insert_with(|| {
            let value = match family.kind {
                Kind::Histogram => SeriesValue::Histogram { counts: vec![0; family.buckets().len() + 1], sum: 0.0 },
                Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
            };
            Series { value, recent: VecDeque::new() }
        });
        match (&mut found.value, way) {
            (SeriesValue::Number(number), Kind::Counter) => *number += observed,
            (SeriesValue::Number(number), _) => *number = observed,
            (SeriesValue::Histogram { counts, sum }, _) => {
                counts[family.buckets().partition_point(|&bound| bound < observed)] += 1;
                *sum += observed;
                if found.recent.len() == MAX_RECENT {
                    found.recent.pop_front();
                }
                found.recent.push_back(observed);
            }
        }
    }

    /// Removes a series.
    pub fn remove(&self, family: &'static Family, labels: &Labels) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.get_mut(family.name) {
            series.remove(labels);
        }
    }

    /// Adds all series to a snapshot.
    pub fn add_to(&self, snapshot: &mut SnapshotBuilder) {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for family in FAMILIES {
            for (labels, found) in series.get(family.name).into_iter().flatten() {
                match &found.value {
                    SeriesValue::Number(number) => snapshot.number(family, labels.clone(), *number),
                    SeriesValue::Histogram { counts, sum } => {
                        snapshot.histogram_with_recent(
                            family,
                            labels.clone(),
                            counts,
                            *sum,
                            found.recent.iter().copied(),
                        );
                    }
                }
            }
        }
    }
}
