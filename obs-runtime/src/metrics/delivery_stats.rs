//! What each sink has brought to where it belongs: when it last did, how long that takes, and why it last did not.
//! Counted for the whole process, as what was [dropped](crate::metrics::drop_counters).

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use crate::metrics::catalogue::SECONDS;

static DELIVERIES: Mutex<BTreeMap<&'static str, Deliveries>> = Mutex::new(BTreeMap::new());

/// The deliveries of one sink.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deliveries {
    /// When the last one that succeeded ended.
    pub last_success: Option<SystemTime>,
    /// Why the last one that failed did; none when none has since the last success.
    pub failure: Option<String>,
    /// How long the last one took.
    pub last_duration: Duration,
    /// Seconds that all of them took.
    pub seconds: f64,
    /// By bucket of [`SECONDS`], and one more.
    pub buckets: [u64; SECONDS.len() + 1],
}

/// Notes a delivery of a sink that took so long. `result` says why it failed, in words that may leave. Returns whether it
/// failed otherwise than the one before.
pub fn note(sink: &'static str, took: Duration, result: Result<(), String>) -> bool {
    let now = SystemTime::now();
    let mut all = DELIVERIES.lock().unwrap_or_else(PoisonError::into_inner);
    let deliveries = all.entry(sink).or_default();
    let failure = result.err();
    let news = failure.is_some() && failure != deliveries.failure;
    if failure.is_none() {
        deliveries.last_success = Some(now);
    }
    deliveries.failure = failure;
    let seconds = took.as_secs_f64();
    deliveries.last_duration = took;
    deliveries.seconds += seconds;
    deliveries.buckets[SECONDS.partition_point(|&bound| bound < seconds)] += 1;
    news
}

/// The deliveries of every sink that has tried one.
#[must_use]
pub fn all() -> BTreeMap<&'static str, Deliveries> {
    DELIVERIES.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_ends_a_failure_and_keeps_its_time() {
        note("deliveries-test", Duration::from_millis(20), Err("refused".to_owned()));
        let failed = all()["deliveries-test"].clone();
        assert_eq!((failed.last_success, failed.failure.as_deref()), (None, Some("refused")));
        note("deliveries-test", Duration::from_millis(2), Ok(()));
        let succeeded = all()["deliveries-test"].clone();
        assert!(succeeded.last_success.is_some() && succeeded.failure.is_none());
        assert_eq!((succeeded.last_duration, succeeded.buckets.iter().sum::<u64>()), (Duration::from_millis(2), 2));
        note("deliveries-test", Duration::from_millis(2), Err("hung".to_owned()));
        assert_eq!(all()["deliveries-test"].last_success, succeeded.last_success);
    }
}
