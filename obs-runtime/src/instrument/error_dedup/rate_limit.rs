//! How many errors of one place are told: the first ones, then a few a minute, with the count of those left out on the
//! next.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::events::event::Source;
use crate::metrics::drop_counters;
use crate::pipeline::interface::Pipeline;

/// How many are told at once.
const BURST: f64 = 20.0;

/// After how long one more is told.
const INTERVAL: Duration = Duration::from_secs(5);

/// Most places that are told apart; those of a program are few, and live as long as it does.
const PLACES: usize = 4096;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    since: Instant,
    left_out: u64,
}

impl Bucket {
    /// How many were left out since the last one that was let through; none if this one is left out too.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let gained = now.saturating_duration_since(self.since).as_secs_f64() / INTERVAL.as_secs_f64();
        self.tokens = (self.tokens + gained).min(BURST);
        self.since = now;
        if self.tokens < 1.0 {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.tokens -= 1.0;
        Some(std::mem::take(&mut self.left_out))
    }
}

type Place = (Cow<'static, str>, Option<u32>);

/// Whether one more error of that place is told, and how many were left out before it.
pub(super) fn allow(pipeline: &dyn Pipeline, source: &Source<'static>) -> Option<u64> {
    static BUCKETS: Mutex<Option<HashMap<Place, Bucket>>> = Mutex::new(None);
    if !pipeline.rate_limits_errors() {
        return Some(0);
    }
    let place = (source.file.clone().unwrap_or_default(), source.line);
    let now = Instant::now();
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let buckets = buckets.get_or_insert_default();
    let place = if buckets.len() < PLACES || buckets.contains_key(&place) { place } else { Place::default() };
    let fresh = || Bucket { tokens: BURST, since: now, left_out: 0 };
    let allowed = buckets.entry(place).or_insert_with(fresh).take(now);
    if allowed.is_none() {
        drop_counters::count("errors", "rate_limit", 1);
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_storm_is_told_by_its_first_errors_then_by_a_few_a_minute_and_by_their_number() {
        let begun = Instant::now();
        let mut bucket = Bucket { tokens: BURST, since: begun, left_out: 0 };
        let a_minute = |number: u32| begun + Duration::from_micros(600) * number;
        let told: Vec<u64> = (0..100_000).filter_map(|number| bucket.take(a_minute(number))).collect();
        assert_eq!(told.len(), 20 + 11);
        assert!(told[..20].iter().all(|left_out| *left_out == 0) && told[20..].iter().all(|left_out| *left_out > 8000));
        let left_out: u64 = told.iter().sum();
        assert_eq!(left_out + bucket.left_out + 31, 100_000);
    }
}
