//! Takes what has changed since the last delivery, at a second of its own.

use crate::exporters::datadog::agentless::points::{Point, PointWriter};
use crate::exporters::datadog::delta_tracker;
use crate::exporters::datadog::delta_tracker::DeltaTracker;
use crate::exporters::datadog::measurements::Measurements;

/// By how many seconds points may be ahead of the clock, because of many flushes in one second. Datadog accepts ten minutes.
pub const MAX_AHEAD: u64 = 60;

/// The same for the last points of a process.
pub const MAX_AHEAD_AT_END: u64 = 2 * MAX_AHEAD;

/// What was delivered so far.
#[derive(Debug)]
pub struct Collector {
    tracker: DeltaTracker,
    /// The second of the last points, since 1970.
    last: u64,
}

impl Collector {
    /// A collector of what changes from now on.
    pub const fn new(tracker: DeltaTracker) -> Self {
        Self { tracker, last: 0 }
    }

    /// The second of the next points, if it is not more than `ahead` after `now`.
    pub fn next_second(&self, now: u64, ahead: u64) -> Option<u64> {
        let at = now.max(self.last + 1);
        // The clock was set back by more than points can be ahead.
        let at = if at > now + MAX_AHEAD_AT_END { now } else { at };
        (at <= now + ahead).then_some(at)
    }

    /// The points of that second.
    pub fn points(&mut self, measured: &Measurements, at: u64) -> Vec<Point> {
        let changes = self.tracker.changes(measured, &PointWriter);
        let mut points = Vec::with_capacity(changes.len());
        for change in changes {
            self.tracker.mark_sent(&change.sent);
            points.push(change.item);
        }
        if !points.is_empty() {
            self.last = at;
        }
        points
    }

    /// A warning about new series that Datadog cannot tell apart.
    pub fn take_warning(&mut self) -> Option<String> {
        delta_tracker::conflict_warning(&self.tracker.take_conflicts())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_second_is_used_twice_and_none_is_far_ahead() {
        let mut collector = Collector::new(DeltaTracker::new(Vec::new()));
        let mut used = Vec::new();
        for now in [1000, 1000, 1000, 1001, 1010] {
            let at = collector.next_second(now, MAX_AHEAD).unwrap();
            collector.last = at;
            used.push(at);
        }
        assert_eq!(used, [1000, 1001, 1002, 1003, 1010]);
        collector.last = 1000 + MAX_AHEAD;
        assert_eq!(collector.next_second(1000, MAX_AHEAD), None);
        assert_eq!(collector.next_second(1001, MAX_AHEAD), Some(1061));
        assert_eq!(collector.next_second(1000, MAX_AHEAD_AT_END), Some(1061));
        // A clock that was set back by an hour.
        collector.last = 4600;
        assert_eq!(collector.next_second(1000, MAX_AHEAD), Some(1000));
    }
}
