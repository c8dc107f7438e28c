//! The clock that durations are measured with: the CPU's time-stamp counter where it is reliable, otherwise the monotonic
//! clock of the operating system; in a test, perhaps a clock that the test sets.
//!
//! Counters of different cores may differ by a few ticks, so an end can be read before its start. Every difference
//! saturates at zero.

use std::sync::OnceLock;
use std::time::{Duration, Instant, SystemTime};

#[cfg(feature = "testing")]
use crate::base::fake_clock;

static CLOCK: OnceLock<quanta::Clock> = OnceLock::new();

/// A reading of this process' clock.
#[derive(Clone, Copy, Debug, Hash)]
pub struct Stamp(u64);

impl Stamp {
    /// A placeholder for a reading that is never used.
    pub const ZERO: Self = Self(0);

    /// Reads the clock.
    #[inline]
    pub fn now() -> Self {
        #[cfg(feature = "testing")]
        if let Some(nanos) = fake_clock::nanos() {
            return Self(nanos);
        }
        Self(clock().raw())
    }

    /// Whether this reading is earlier than another.
    pub const fn is_before(self, other: Self) -> bool {
        self.0 < other.0
    }

    /// The time since this reading; zero if it lies in the future.
    pub fn elapsed(self) -> Duration {
        Duration::from_nanos(self.elapsed_nanos())
    }

    /// Nanoseconds since this reading; zero if it lies in the future.
    #[inline]
    pub fn elapsed_nanos(self) -> u64 {
        #[cfg(feature = "testing")]
        if let Some(nanos) = fake_clock::nanos() {
            return nanos.saturating_sub(self.0);
        }
        let clock = clock();
        clock.delta_as_nanos(self.0, clock.raw())
    }
}

/// A point in time from which on a duration is measured. Steps of the system's clock in the meantime do not change the duration.
#[derive(Clone, Copy, Debug)]
pub struct Start {
    at: SystemTime,
    /// From that point to the reading.
    before: Duration,
    reading: Stamp,
}

impl Start {
    /// The current time.
    pub fn now() -> Self {
        Self::ago(Duration::ZERO)
    }

    /// A point in the past.
    pub fn ago(before: Duration) -> Self {
        let (now, reading) = (wall(), Stamp::now());
        match now.checked_sub(before) {
            Some(at) => Self { at, before, reading },
            None => Self { at: now, before: Duration::ZERO, reading },
        }
    }

    /// The same after a step of the system's clock, by which it began then.
    #[cfg(test)]
    pub const fn having_begun(self, at: SystemTime) -> Self {
        Self { at, ..self }
    }

    /// The point in time.
    pub const fn at(self) -> SystemTime {
        self.at
    }

    /// The time since then.
    pub fn elapsed(self) -> Duration {
        self.before.saturating_add(self.reading.elapsed())
    }

    /// The current time, by the clock that durations are measured with.
    pub fn end(self) -> SystemTime {
        self.at.checked_add(self.elapsed()).unwrap_or(self.at)
    }
}

/// The point in time: that of the system, or of the fake clock of a test.
pub fn wall() -> SystemTime {
    #[cfg(feature = "testing")]
    if let Some(wall) = fake_clock::wall() {
        return wall;
    }
    SystemTime::now()
}

/// A point in time for ages of results: that of the system, or of the fake clock of a test. Timeouts and deadlines are always those
/// of the system.
pub fn monotonic() -> Instant {
    #[cfg(feature = "testing")]
    if let Some(monotonic) = fake_clock::monotonic() {
        return monotonic;
    }
    Instant::now()
}

/// The point in time that lies a timeout after `start`. A timeout too long for the clock ends after a year.
pub fn deadline(start: Instant, timeout: Duration) -> Instant {
    const NO_LIMIT: Duration = Duration::from_hours(24 * 365);
    start.checked_add(timeout).or_else(|| start.checked_add(NO_LIMIT)).unwrap_or(start)
}

/// The calibrated clock. The first call calibrates it, usually in less than a millisecond; `init` makes that call, so that
/// no user's function pays for it.
#[inline]
pub fn clock() -> &'static quanta::Clock {
    CLOCK.get_or_init(quanta::Clock::new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timeout_of_any_length_has_a_deadline() {
        let start = Instant::now();
        for timeout in [Duration::ZERO, Duration::from_secs(1), Duration::from_hours(24 * 365)] {
            assert_eq!(deadline(start, timeout).duration_since(start), timeout);
        }
        for timeout in [Duration::MAX, Duration::from_secs(u64::MAX), Duration::from_secs(i64::MAX.unsigned_abs())] {
            assert_eq!(deadline(start, timeout).duration_since(start), Duration::from_hours(24 * 365));
        }
    }

    #[test]
    fn a_step_of_the_systems_clock_changes_no_duration() {
        let set_back = SystemTime::now() + Duration::from_hours(1);
        for at in [SystemTime::UNIX_EPOCH, set_back] {
            let start = Start::ago(Duration::from_secs(7)).having_begun(at);
            let lasted = start.end().duration_since(at).unwrap();
            assert!((7..60).contains(&lasted.as_secs()) && start.elapsed() >= lasted, "{lasted:?}");
        }
        assert_eq!(Start::ago(Duration::MAX).before, Duration::ZERO, "there is no such point in time");
    }

    #[test]
    fn elapsed_time_agrees_with_the_systems_clock() {
        // The thread may be interrupted between any two readings, so ours lies between the two of the system, within 5 %.
        // The first reading calibrates the clock.
        clock();
        let earlier = Instant::now();
        let stamp = Stamp::now();
        let later = Instant::now();
        while later.elapsed() < Duration::from_millis(20) {
            std::hint::spin_loop();
        }
        let before = later.elapsed().as_nanos();
        let ours = u128::from(stamp.elapsed_nanos());
        let after = earlier.elapsed().as_nanos();
        assert!((before * 19 / 20..=after * 21 / 20).contains(&ours), "ours {ours} ns, theirs {before} to {after} ns");
    }
}
