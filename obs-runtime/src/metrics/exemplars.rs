//! Exemplars: the trace of the latest observation in a bucket.
//!
//! Only calls that are slow or that fail are recorded, and only within a trace, so that a fast success pays one comparison.
//! Recording never blocks: while another thread holds the lock, the exemplar is skipped.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::base::trace_context::TraceContext;

/// One observation and the trace that it was made in.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub struct Exemplar {
    /// Index of the bucket.
    pub bucket: usize,
    /// The observed value.
    pub value: f64,
    pub(crate) trace: TraceContext,
    /// Time of the observation.
    pub at: SystemTime,
}

impl Exemplar {
    /// The trace id, as 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.trace_id().to_string()
    }
}

/// The latest exemplars of one or more numbered histograms: at most one for each bucket.
#[derive(Debug, Default)]
pub struct Exemplars(OnceLock<Box<Numbered>>);

/// Exemplars, each with the number of its histogram.
type Numbered = Mutex<Vec<(usize, Exemplar)>>;

impl Exemplars {
    /// Starts without exemplars.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Records an exemplar of a histogram.
    #[cold]
    pub fn record(&self, histogram: usize, exemplar: Exemplar) {
        let Ok(mut recorded) = self.0.get_or_init(Box::default).try_lock() else { return };
        let same = |(number, other): &&mut (usize, Exemplar)| *number == histogram && other.bucket == exemplar.bucket;
        match recorded.iter_mut().find(same) {
            Some((_, previous)) => *previous = exemplar,
            None => recorded.push((histogram, exemplar)),
        }
    }

    /// The exemplars of a histogram.
    pub fn of_histogram(&self, histogram: usize) -> Vec<Exemplar> {
        let recorded = self.0.get().map(|recorded| recorded.lock().unwrap_or_else(PoisonError::into_inner));
        let all = recorded.iter().flat_map(|recorded| recorded.iter());
        all.filter(|(number, _)| *number == histogram).map(|(_, exemplar)| *exemplar).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_exemplar_of_each_bucket_is_kept() {
        let exemplars = Exemplars::new();
        let trace = TraceContext::begin(None);
        let exemplar = |bucket, value| Exemplar { bucket, value, trace, at: SystemTime::UNIX_EPOCH };
        assert!(exemplars.of_histogram(0).is_empty());
        for (histogram, bucket, value) in [(0, 1, 0.1), (0, 2, 0.2), (1, 1, 0.3), (0, 1, 0.4)] {
            exemplars.record(histogram, exemplar(bucket, value));
        }
        assert_eq!(exemplars.of_histogram(0), [exemplar(1, 0.4), exemplar(2, 0.2)]);
        assert_eq!(exemplars.of_histogram(1), [exemplar(1, 0.3)]);
    }
}
