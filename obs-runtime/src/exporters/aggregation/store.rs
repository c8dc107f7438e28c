//! The series that events moved, each family within the limit.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::metrics::cardinality::{MAX_LABEL_CHARS, OTHER, truncate};
use crate::metrics::catalogue::{FAMILIES, Family, Kind};
use crate::metrics::drop_counters;
use crate::metrics::snapshot::{Labels, SeriesValue, SnapshotBuilder};

/// Labels of few values, all of them obs' own: they stay past the limit of series, so that no estimate is added to what
/// was really spent.
const CLOSED: [&str; 6] = ["outcome", "kind", "reason", "cache_hit", "success", "severity"];

/// Series by family and labels.
#[derive(Debug)]
pub struct Store {
    max_series: usize,
    series: Mutex<HashMap<&'static str, HashMap<Labels, Kept>>>,
    overflowed: AtomicBool,
    warned: AtomicBool,
}

/// How many observations are remembered of a series: what a program does between two deliveries, as a rule.
const REMEMBERED: usize = 25;

/// What is kept of a series.
#[derive(Debug)]
struct Kept {
    value: SeriesValue,
    /// The last observations, oldest first.
    recent: VecDeque<f64>,
}

impl Store {
    /// An empty store of at most so many series for each family.
    pub fn new(max_series: usize) -> Self {
        let (overflowed, warned) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { max_series, series: Mutex::default(), overflowed, warned }
    }

    /// Whether the limit of series was passed and nobody was told yet; true once.
    pub fn take_overflow(&self) -> bool {
        self.overflowed.load(Ordering::Relaxed) && !self.warned.swap(true, Ordering::Relaxed)
    }

    /// Says that the limit of series was passed.
    pub fn overflow(&self) {
        self.overflowed.store(true, Ordering::Relaxed);
        drop_counters::count("metrics", "cardinality", 1);
    }

    /// Adds to a counter, sets a gauge, observes in a histogram.
    pub fn record(&self, family: &'static Family, mut labels: Labels, observed: f64) {
        for (_, value) in labels.iter_mut().filter(|(_, value)| value.len() > MAX_LABEL_CHARS) {
            *value = truncate(std::mem::take(value).into_owned()).into();
        }
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let series = all.entry(family.name).or_default();
        let labels = if series.len() >= self.max_series && !series.contains_key(&labels) {
            self.overflow();
            let value = |name: &str, value| if CLOSED.contains(&name) { value } else { Cow::Borrowed(OTHER) };
            labels.into_iter().map(|(name, known)| (name.clone(), value(&name, known))).collect()
        } else {
            labels
        };
        let kept = series.entry(labels).or_insert_with(|| {
            let value = match family.kind {
                Kind::Histogram => SeriesValue::Histogram { counts: vec![0; family.buckets().len() + 1], sum: 0.0 },
                Kind::Counter | Kind::Gauge => SeriesValue::Number(0.0),
            };
            Kept { value, recent: VecDeque::new() }
        });
        match (&mut kept.value, family.kind) {
            (SeriesValue::Number(number), Kind::Counter) => *number += observed,
            (SeriesValue::Number(number), _) => *number = observed,
            (SeriesValue::Histogram { counts, sum }, _) => {
                counts[family.buckets().partition_point(|&bound| bound < observed)] += 1;
                *sum += observed;
                if kept.recent.len() == REMEMBERED {
                    kept.recent.pop_front();
                }
                kept.recent.push_back(observed);
            }
        }
    }

    /// Takes a series out.
    pub fn forget(&self, family: &'static Family, labels: &Labels) {
        let mut all = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(series) = all.get_mut(family.name) {
            series.remove(labels);
        }
    }

    /// Adds all series to a snapshot.
    pub fn add_to(&self, snapshot: &mut SnapshotBuilder) {
        let series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        for family in FAMILIES {
            for (labels, kept) in series.get(family.name).into_iter().flatten() {
                match &kept.value {
                    SeriesValue::Number(number) => snapshot.number(family, labels.clone(), *number),
                    SeriesValue::Histogram { counts, sum } => {
                        snapshot.histogram_with_recent(
                            family,
                            labels.clone(),
                            counts,
                            *sum,
                            kept.recent.iter().copied(),
                        );
                    }
                }
            }
        }
    }
}
