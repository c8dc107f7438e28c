//! Single calls that stand for the many in a bucket: the trace of the one that came last.
//!
//! Only calls that are not over at once, or do not end well, are noted, and only where there is a trace: what is counted
//! most often pays one comparison for it. Whoever notes one never waits: while somebody reads, it is left out.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use crate::base::trace_context::TraceContext;

/// One observation, and the trace that it was made in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// The bucket that it fell into.
    pub bucket: usize,
    /// What was observed.
    pub value: f64,
    /// Within which trace.
    pub(crate) trace: TraceContext,
    /// When.
    pub at: SystemTime,
}

impl Exemplar {
    /// The trace that it was observed in: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> String {
        self.trace.trace_id().to_string()
    }
}

/// The last exemplars of a histogram, or of several that are told apart by a number: one for each bucket.
#[derive(Debug, Default)]
pub struct Exemplars(OnceLock<Box<Kept>>);

/// Each with the number of its histogram.
type Kept = Mutex<Vec<(usize, Exemplar)>>;

impl Exemplars {
    /// None yet.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Notes one in the histogram of that number.
    #[cold]
    pub fn note(&self, histogram: usize, exemplar: Exemplar) {
        let Ok(mut kept) = self.0.get_or_init(Box::default).try_lock() else { return };
        let same = |(known, other): &&mut (usize, Exemplar)| *known == histogram && other.bucket == exemplar.bucket;
        match kept.iter_mut().find(same) {
            Some((_, known)) => *known = exemplar,
            None => kept.push((histogram, exemplar)),
        }
    }

    /// Those of the histogram of that number.
    pub fn of(&self, histogram: usize) -> Vec<Exemplar> {
        let kept = self.0.get().map(|kept| kept.lock().unwrap_or_else(PoisonError::into_inner));
        kept.iter().flat_map(|kept| kept.iter()).filter(|(known, _)| *known == histogram).map(|(_, one)| *one).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_each_bucket_is_kept() {
        let exemplars = Exemplars::new();
        let trace = TraceContext::begin(None);
        let exemplar = |bucket, value| Exemplar { bucket, value, trace, at: SystemTime::UNIX_EPOCH };
        assert!(exemplars.of(0).is_empty());
        for (histogram, bucket, value) in [(0, 1, 0.1), (0, 2, 0.2), (1, 1, 0.3), (0, 1, 0.4)] {
            exemplars.note(histogram, exemplar(bucket, value));
        }
        assert_eq!(exemplars.of(0), [exemplar(1, 0.4), exemplar(2, 0.2)]);
        assert_eq!(exemplars.of(1), [exemplar(1, 0.3)]);
    }
}
