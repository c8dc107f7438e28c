//! How many errors of one kind are reported: a burst, then one at an interval, with the number left out. What was left out last
//! is reported when the program ends.
//!
//! A kind is a source location, an operation, a label, and the message without numbers. The first kinds of a location have limits of
//! their own, so that a frequent error does not hide a rare one; the others share one, so that a message that is never the same
//! does not pass the limit.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::context::current::Context;
use crate::events::report::Report;
use crate::exporters::error_event::ErrorEvent;
use crate::metrics::drop_counters;
use crate::pipeline::interface::Pipeline;

/// How many are reported at once.
const BURST: f64 = 20.0;

/// After how long one more is reported.
const INTERVAL: Duration = Duration::from_secs(5);

/// Most locations with limits of their own; the others share one.
const MAX_LOCATIONS: usize = 4096;

/// How many kinds of errors of one location have a limit of their own.
const MAX_KINDS: usize = 20;

/// How many bytes of a message tell one kind from another.
const MAX_MESSAGE: usize = 200;

struct Bucket {
    tokens: f64,
    since: Instant,
    left_out: u64,
    /// The first of those that were left out.
    sample: Option<Box<ErrorEvent>>,
}

impl Bucket {
    const fn full(now: Instant) -> Self {
        Self { tokens: BURST, since: now, left_out: 0, sample: None }
    }

    /// How many were left out since the last one that was reported; `None` if this one is left out too.
    fn take(&mut self, now: Instant) -> Option<u64> {
        let gained = now.saturating_duration_since(self.since).as_secs_f64() / INTERVAL.as_secs_f64();
        self.tokens = (self.tokens + gained).min(BURST);
        self.since = now;
        if self.tokens < 1.0 {
            self.left_out = self.left_out.saturating_add(1);
            return None;
        }
        self.tokens -= 1.0;
        self.sample = None;
        Some(std::mem::take(&mut self.left_out))
    }
}

/// The limits of one location.
struct Limits {
    kinds: Vec<(u64, Bucket)>,
    others: Bucket,
}

impl Limits {
    fn bucket(&mut self, now: Instant, kind: u64) -> &mut Bucket {
        let index = self.kinds.iter().position(|(known, _)| *known == kind);
        let index = index.or_else(|| {
            (self.kinds.len() < MAX_KINDS).then(|| {
                self.kinds.push((kind, Bucket::full(now)));
                self.kinds.len() - 1
            })
        });
        match index.and_then(|index| self.kinds.get_mut(index)) {
            Some((_, bucket)) => bucket,
            None => &mut self.others,
        }
    }
}

/// File, line and operation: functions that a macro makes are on one line.
type Location = (Cow<'static, str>, Option<u32>, String);

fn limits() -> MutexGuard<'static, Option<HashMap<Location, Limits>>> {
    static LIMITS: Mutex<Option<HashMap<Location, Limits>>> = Mutex::new(None);
    LIMITS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The kind of an error: its label, and its message without numbers.
fn kind(label: &str, message: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    label.hash(&mut hasher);
    for byte in message.bytes().take(MAX_MESSAGE).filter(|byte| !byte.is_ascii_digit()) {
        hasher.write_u8(byte);
    }
    hasher.finish()
}

/// Whether one more error of that kind is reported. If so, notes in its report how many were left out before it.
pub fn allows(pipeline: &dyn Pipeline, error: &mut ErrorEvent) -> bool {
    if !pipeline.rate_limits_errors() {
        return true;
    }
    let ErrorEvent { source, report, .. } = error;
    let location = (source.file.clone().unwrap_or_default(), source.line, report.operation.to_string());
    let now = Instant::now();
    let mut limits = limits();
    let limits = limits.get_or_insert_default();
    let has_own = limits.len() < MAX_LOCATIONS || limits.contains_key(&location);
    let location = if has_own { location } else { Location::default() };
    let new = || Limits { kinds: Vec::new(), others: Bucket::full(now) };
    let message = report.causes.last().map_or("", |root| &*root.message);
    let bucket = limits.entry(location).or_insert_with(new).bucket(now, kind(&report.error_type, message));
    if let Some(left_out) = bucket.take(now) {
        report.left_out = left_out;
        return true;
    }
    bucket.sample.get_or_insert_with(|| Box::new(sample(error)));
    drop_counters::count("errors", "rate_limit", 1);
    false
}

/// What is kept of an error that is left out. Its context is not: it could keep the pipeline alive.
fn sample(error: &ErrorEvent) -> ErrorEvent {
    let report = Box::new(Report { layers: Vec::new(), ..(*error.report).clone() });
    let context = Context::default();
    ErrorEvent { context, level: error.level, source: error.source.clone(), time: error.time, report }
}

/// Reports one error of each kind of which some were left out since the last report, with the number of the others.
pub fn report_left_out(pipeline: &dyn Pipeline) {
    let mut left_out = Vec::new();
    if let Some(limits) = &mut *limits() {
        for limits in limits.values_mut() {
            let buckets = limits.kinds.iter_mut().map(|(_, bucket)| bucket).chain([&mut limits.others]);
            left_out.extend(buckets.filter_map(|bucket| {
                let mut event = bucket.sample.take()?;
                event.report.left_out = std::mem::take(&mut bucket.left_out).saturating_sub(1);
                Some(event)
            }));
        }
    }
    for event in left_out {
        pipeline.report(*event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(limits: &mut Limits, now: Instant, label: &str, message: &str) -> Option<u64> {
        limits.bucket(now, kind(label, message)).take(now)
    }

    fn full(now: Instant) -> Limits {
        Limits { kinds: Vec::new(), others: Bucket::full(now) }
    }

    #[test]
    fn a_burst_is_reported_then_one_at_an_interval_with_the_number_left_out() {
        let begun = Instant::now();
        let mut limits = full(begun);
        let at = |number: u32| begun + Duration::from_micros(600) * number;
        let reported: Vec<u64> =
            (0..100_000).filter_map(|number| allowed(&mut limits, at(number), "Error", "no")).collect();
        assert_eq!(reported.len(), 20 + 11);
        assert!(reported[..20].iter().all(|left_out| *left_out == 0));
        assert!(reported[20..].iter().all(|left_out| *left_out > 8000));
        let left_out: u64 = reported.iter().sum();
        assert_eq!(left_out + limits.kinds[0].1.left_out + 31, 100_000);
    }

    #[test]
    fn a_rare_kind_is_reported_among_many_of_another() {
        let now = Instant::now();
        let mut limits = full(now);
        let mut frequent = 0;
        let mut rare = 0;
        for number in 0..999 {
            let message = format!("connection reset by peer {number}");
            frequent += usize::from(allowed(&mut limits, now, "Error", &message).is_some());
            if number % 100 == 99 {
                rare += usize::from(allowed(&mut limits, now, "Error", "ledger out of balance") == Some(0));
            }
        }
        assert_eq!((frequent, rare), (20, 9));
        // A message that is never the same does not pass the limit.
        let others = (0..1000).filter(|number| allowed(&mut limits, now, "Error", &"x".repeat(*number)).is_some());
        assert_eq!(others.count(), 200 - 182 + 20);
    }
}
