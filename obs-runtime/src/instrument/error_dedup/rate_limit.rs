//! How many errors of one source location are reported: a burst, then one at an interval, with the number left out. The first
//! errors that are new in kind are reported in any case.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::events::event::Source;
use crate::metrics::drop_counters;
use crate::pipeline::interface::Pipeline;

/// How many are reported at once.
const BURST: f64 = 20.0;

/// After how long one more is reported.
const INTERVAL: Duration = Duration::from_secs(5);

/// Most locations with a limit of their own; the others share one.
const MAX_LOCATIONS: usize = 4096;

/// How many kinds of errors of one location are remembered.
const MAX_KINDS: usize = 20;

/// How many bytes of a message tell one kind from another.
const MAX_MESSAGE: usize = 200;

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    since: Instant,
    left_out: u64,
    /// The kinds that were seen first.
    kinds: Vec<u64>,
}

impl Bucket {
    /// How many were left out since the last one that was reported; `None` if this one is left out too.
    fn take(&mut self, now: Instant, kind: u64) -> Option<u64> {
        let gained = now.saturating_duration_since(self.since).as_secs_f64() / INTERVAL.as_secs_f64();
        self.tokens = (self.tokens + gained).min(BURST);
        self.since = now;
        let is_new = self.kinds.len() < MAX_KINDS && !self.kinds.contains(&kind);
        if is_new {
            self.kinds.push(kind);
        } else if self.tokens < 1.0 {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.tokens = (self.tokens - 1.0).max(0.0);
        Some(std::mem::take(&mut self.left_out))
    }
}

/// File, line and operation: functions that a macro makes are on one line.
type Location = (Cow<'static, str>, Option<u32>, String);

/// The kind of an error: its label, and its message without numbers.
pub fn kind(label: &str, message: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    for byte in message.bytes().take(MAX_MESSAGE).filter(|byte| !byte.is_ascii_digit()) {
        hasher.write_u8(byte);
    }
    hasher.finish()
}

/// Whether one more error of that location and operation is reported, and how many were left out before it.
pub fn allow(pipeline: &dyn Pipeline, source: &Source<'static>, operation: &str, kind: u64) -> Option<u64> {
    static BUCKETS: Mutex<Option<HashMap<Location, Bucket>>> = Mutex::new(None);
    if !pipeline.rate_limits_errors() {
        return Some(0);
    }
    let location = (source.file.clone().unwrap_or_default(), source.line, operation.to_owned());
    let now = Instant::now();
    let mut buckets = BUCKETS.lock().unwrap_or_else(PoisonError::into_inner);
    let buckets = buckets.get_or_insert_default();
    let has_own = buckets.len() < MAX_LOCATIONS || buckets.contains_key(&location);
    let location = if has_own { location } else { Location::default() };
    let full = || Bucket { tokens: BURST, since: now, left_out: 0, kinds: Vec::new() };
    let allowed = buckets.entry(location).or_insert_with(full).take(now, kind);
    if allowed.is_none() {
        drop_counters::count("errors", "rate_limit", 1);
    }
    allowed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_is_reported_then_one_at_an_interval_with_the_number_left_out() {
        let begun = Instant::now();
        let mut bucket = Bucket { tokens: BURST, since: begun, left_out: 0, kinds: Vec::new() };
        let at = |number: u32| begun + Duration::from_micros(600) * number;
        let reported: Vec<u64> = (0..100_000).filter_map(|number| bucket.take(at(number), 0)).collect();
        assert_eq!(reported.len(), 20 + 11);
        assert!(reported[..20].iter().all(|left_out| *left_out == 0));
        assert!(reported[20..].iter().all(|left_out| *left_out > 8000));
        let left_out: u64 = reported.iter().sum();
        assert_eq!(left_out + bucket.left_out + 31, 100_000);
    }
    #[test]
    fn a_new_kind_is_reported_after_many_of_another() {
        let now = Instant::now();
        let mut bucket = Bucket { tokens: BURST, since: now, left_out: 0, kinds: Vec::new() };
        let frequent = kind("Error", "connection reset by peer 17");
        assert_eq!((0..999).filter(|_| bucket.take(now, frequent).is_some()).count(), 20);
        assert_eq!(bucket.take(now, kind("Error", "ledger out of balance")), Some(979));
        assert_eq!(bucket.take(now, kind("Error", "connection reset by peer 18")), None);
        // A message that is never the same does not pass the limit.
        let others = (0..100).filter(|number| bucket.take(now, kind("Error", &"x".repeat(*number))).is_some());
        assert_eq!(others.count(), 18);
    }
}
