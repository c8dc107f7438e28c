//! Counters of dropped telemetry, by sink and reason: the source of `obs.dropped`. They count even when no pipeline is
//! installed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static DROPPED: Mutex<BTreeMap<(&'static str, &'static str), u64>> = Mutex::new(BTreeMap::new());

/// Counts `number` items dropped by a sink. The reason must have low cardinality.
pub fn count(sink: &'static str, reason: &'static str, number: u64) {
    *DROPPED.lock().unwrap_or_else(PoisonError::into_inner).entry((sink, reason)).or_default() += number;
}

/// The number of items dropped since the program started, by sink and reason.
#[must_use]
pub fn all() -> Vec<(&'static str, &'static str, u64)> {
    let dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    dropped.iter().map(|(&(sink, reason), &number)| (sink, reason, number)).collect()
}
