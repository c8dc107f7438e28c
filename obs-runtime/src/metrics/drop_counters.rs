//! What was dropped, by sink and reason: `obs.dropped`. Counted even when nothing is installed.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

static DROPPED: Mutex<BTreeMap<(&'static str, &'static str), u64>> = Mutex::new(BTreeMap::new());

/// Counts `number` dropped things of a sink, for a reason of low cardinality.
pub fn count(sink: &'static str, reason: &'static str, number: u64) {
    *DROPPED.lock().unwrap_or_else(PoisonError::into_inner).entry((sink, reason)).or_default() += number;
}

/// All that was dropped since the program began: sink, reason, how many.
#[must_use]
pub fn all() -> Vec<(&'static str, &'static str, u64)> {
    let dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    dropped.iter().map(|(&(sink, reason), &number)| (sink, reason, number)).collect()
}
