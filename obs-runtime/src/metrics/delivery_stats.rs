//! Delivery statistics of each sink, for the whole process: last success, failures and durations.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

static STATS: Mutex<BTreeMap<&'static str, DeliveryStats>> = Mutex::new(BTreeMap::new());

/// The delivery statistics of one sink.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryStats {
    /// Time of the last successful delivery.
    pub last_success: Option<SystemTime>,
    /// Reason of the last failure, until a delivery succeeds.
    pub failure: Option<String>,
    /// Duration of the last delivery.
    pub last_duration: Duration,
    /// Duration of the longest delivery.
    pub max_duration: Duration,
    /// Deliveries that failed or were skipped.
    pub failed: u64,
}

/// Counts a delivery that was skipped after a missed deadline as failed.
pub fn count_failed(sink: &'static str) {
    STATS.lock().unwrap_or_else(PoisonError::into_inner).entry(sink).or_default().failed += 1;
}

/// Records a delivery of a sink. The error is the redacted reason of a failure. Returns whether the delivery failed for
/// another reason than the previous one.
pub fn record(sink: &'static str, duration: Duration, result: Result<(), String>) -> bool {
    let now = SystemTime::now();
    let mut all = STATS.lock().unwrap_or_else(PoisonError::into_inner);
    let stats = all.entry(sink).or_default();
    let failure = result.err();
    let is_new = failure.is_some() && failure != stats.failure;
    match &failure {
        None => stats.last_success = Some(now),
        Some(_) => stats.failed += 1,
    }
    stats.failure = failure;
    stats.last_duration = duration;
    stats.max_duration = stats.max_duration.max(duration);
    is_new
}

/// The statistics of every sink that has attempted a delivery.
#[must_use]
pub fn all() -> BTreeMap<&'static str, DeliveryStats> {
    STATS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_success_clears_the_failure_and_a_failure_keeps_the_time_of_success() {
        record("stats-test", Duration::from_millis(20), Err("refused".to_owned()));
        let failed = all()["stats-test"].clone();
        assert_eq!((failed.last_success, failed.failure.as_deref()), (None, Some("refused")));
        record("stats-test", Duration::from_millis(2), Ok(()));
        let succeeded = all()["stats-test"].clone();
        assert!(succeeded.last_success.is_some() && succeeded.failure.is_none());
        assert_eq!(
            (succeeded.last_duration, succeeded.max_duration),
            (Duration::from_millis(2), Duration::from_millis(20))
        );
        record("stats-test", Duration::from_millis(2), Err("hung".to_owned()));
        assert_eq!((all()["stats-test"].last_success, all()["stats-test"].failed), (succeeded.last_success, 2));
    }
}
