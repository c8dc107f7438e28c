//! How long a caller waits for a file of budgets that other processes or threads have locked.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use crate::base::clock;

/// How long a caller waits, for all budgets and transactions of one reservation or settlement together.
pub const WAIT: Duration = Duration::from_secs(2);

thread_local! {
    static DEADLINE: Cell<Option<Instant>> = const { Cell::new(None) };
}

/// While this exists, the transactions of this thread wait for locks until one common deadline.
#[derive(Debug)]
#[must_use = "the deadline ends when this is dropped"]
pub struct LockDeadline {
    is_outermost: bool,
}

impl LockDeadline {
    /// A deadline of [`WAIT`] from now, unless this thread has one already.
    pub fn begin() -> Self {
        Self::within(WAIT)
    }

    /// A deadline of this much time from now, unless this thread has one already.
    pub fn within(wait: Duration) -> Self {
        let is_outermost = DEADLINE.get().is_none();
        if is_outermost {
            DEADLINE.set(Some(clock::deadline(Instant::now(), wait)));
        }
        Self { is_outermost }
    }

    /// The deadline of this thread; now, if it has none.
    pub fn get() -> Instant {
        DEADLINE.get().unwrap_or_else(Instant::now)
    }
}

impl Drop for LockDeadline {
    fn drop(&mut self) {
        if self.is_outermost {
            DEADLINE.set(None);
        }
    }
}

/// SQLite's busy handler: whether to try again, after a pause. The pauses are short and differ, so that no process of many is
/// left behind; those of SQLite's own handler grow to 100 ms.
pub fn pause(attempts: i32) -> bool {
    let left = LockDeadline::get().saturating_duration_since(Instant::now());
    if left.is_zero() {
        return false;
    }
    let longest = u64::from(attempts.unsigned_abs()).saturating_mul(500).clamp(1_000, 10_000);
    let by_chance = uuid::Uuid::now_v7().as_u64_pair().1 % longest;
    thread::sleep(Duration::from_micros(by_chance.saturating_add(500)).min(left));
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_outermost_deadline_of_a_thread_holds_until_it_is_dropped() {
        assert!(!pause(0), "without a deadline nothing waits");
        let outer = LockDeadline::within(Duration::from_hours(1));
        let deadline = LockDeadline::get();
        drop(LockDeadline::within(Duration::ZERO));
        assert_eq!(LockDeadline::get(), deadline);
        assert!(pause(0) && pause(i32::MAX));
        drop(outer);
        let _short = LockDeadline::within(Duration::ZERO);
        assert!(!pause(0));
    }
}
