//! The clock of durations, behind one type: the processor's time-stamp counter where it can be trusted, the system's
//! monotonic clock otherwise.
//!
//! Counters of different cores may be a few ticks apart and the counter is not serialising, so an end can be read
//! before its start: every difference saturates at zero.

use std::sync::OnceLock;
use std::time::Duration;

static CLOCK: OnceLock<quanta::Clock> = OnceLock::new();

/// A moment of this process' clock.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// A moment that is never looked at.
    pub const ZERO: Self = Self(0);

    /// Reads the clock.
    #[inline]
    pub fn now() -> Self {
        Self(clock().raw())
    }

    /// Whether this moment was before another.
    pub const fn is_before(self, other: Self) -> bool {
        self.0 < other.0
    }

    /// The time since this moment, never negative.
    pub fn elapsed(self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos())
    }

    /// Nanoseconds since this moment, never negative.
    #[inline]
    pub fn elapsed_nanos(self) -> u64 {
        let clock = clock();
        clock.delta_as_nanos(self.0, clock.raw())
    }
}

/// The calibrated clock; the first use calibrates it, which takes under a millisecond as a rule. `init` is that first
/// use, so that no user's call pays for it.
#[inline]
pub fn clock() -> &'static quanta::Clock {
    CLOCK.get_or_init(quanta::Clock::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_goes_forward_and_agrees_with_the_systems_clock() {
        // The first reading calibrates the clock, and a thread may be interrupted between any two readings: ours lies
        // between theirs, give or take 5 %.
        clock();
        let earlier = std::time::Instant::now();
        let stamp = Stamp::now();
        let later = std::time::Instant::now();
        while later.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let before = later.elapsed().as_nanos();
        let ours = u128::from(stamp.elapsed_nanos());
        let after = earlier.elapsed().as_nanos();
        assert!((before * 19 / 20..=after * 21 / 20).contains(&ours), "ours {ours} ns, theirs {before} to {after} ns");
    }
}
