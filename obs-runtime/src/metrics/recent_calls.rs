//! The durations of the most recent slow calls of a call site, so that those of rare calls can be sent as they were.
//!
//! Only calls above the first bound of [`SECONDS`](crate::metrics::catalogue::SECONDS) are kept, and only once an exporter has
//! asked for them: a fast call pays nothing. Recording takes no lock.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::outcome::Outcome;

/// How many calls of all outcomes are kept.
const CAPACITY: usize = 32;

/// The bits of a slot for the duration; those above are for the outcome.
const NANOS: u64 = (1 << 62) - 1;

/// Whether an exporter uses the durations.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Keeps durations from now on.
#[cfg_attr(not(any(test, feature = "datadog")), expect(dead_code, reason = "others use buckets"))]
pub fn enable() {
    ENABLED.store(true, Ordering::Relaxed);
}

/// The most recent durations.
#[derive(Debug, Default)]
pub struct RecentCalls(OnceLock<Box<Ring>>);

#[derive(Debug)]
struct Ring {
    /// How many were recorded.
    recorded: AtomicU64,
    slots: [AtomicU64; CAPACITY],
}

impl RecentCalls {
    /// Starts without calls.
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    /// Records a call.
    pub fn record(&self, outcome: Outcome, nanos: u64) {
        if !ENABLED.load(Ordering::Relaxed) {
            return;
        }
        let slots = [const { AtomicU64::new(0) }; CAPACITY];
        let ring = self.0.get_or_init(|| Box::new(Ring { recorded: AtomicU64::new(0), slots }));
        let number = ring.recorded.fetch_add(1, Ordering::Relaxed);
        let packed = ((outcome.index() as u64) << 62) | nanos.min(NANOS);
        ring.slot(number).store(packed, Ordering::Release);
    }

    /// The durations in seconds of calls that ended with an outcome, oldest first. A call that is recorded meanwhile may
    /// be missing.
    pub fn of_outcome(&self, outcome: Outcome) -> Vec<f64> {
        let Some(ring) = self.0.get() else { return Vec::new() };
        let recorded = ring.recorded.load(Ordering::Acquire);
        let slots = (recorded.saturating_sub(CAPACITY as u64)..recorded).map(|number| ring.slot(number));
        let packed = slots.map(|slot| slot.load(Ordering::Acquire));
        let same = packed.filter(|packed| packed >> 62 == outcome.index() as u64);
        same.map(|packed| Duration::from_nanos(packed & NANOS).as_secs_f64()).collect()
    }
}

impl Ring {
    #[expect(clippy::cast_possible_truncation, reason = "the remainder is small")]
    fn slot(&self, number: u64) -> &AtomicU64 {
        &self.slots[(number % CAPACITY as u64) as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_latest_calls_of_each_outcome_are_kept_in_order() {
        enable();
        let recent = RecentCalls::new();
        assert!(recent.of_outcome(Outcome::Ok).is_empty());
        for number in 1..=40 {
            recent.record(if number % 4 == 0 { Outcome::Panic } else { Outcome::Ok }, number * 1_000_000_000);
        }
        let expected =
            |keep: &dyn Fn(u32) -> bool| (9..=40).filter(|&number| keep(number)).map(f64::from).collect::<Vec<_>>();
        assert_eq!(recent.of_outcome(Outcome::Ok), expected(&|number| number % 4 != 0));
        assert_eq!(recent.of_outcome(Outcome::Panic), expected(&|number| number % 4 == 0));
        assert!(recent.of_outcome(Outcome::Error).is_empty());
    }
}
