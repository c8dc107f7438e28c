//! The clock of a test.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::fake_clock::FakeTime;

/// A clock that stands still until the test moves it: for [`Capture::clock`](super::Capture::clock).
///
/// Durations of calls and spans, times of lines, checks and spans, ages of results that are cached, the freshness of tables, and
/// the periods of budgets are measured by it. Timeouts, deadlines and pauses are those of the system; `tokio::time::pause` is for
/// those of the program.
///
/// ```
/// use std::time::{Duration, SystemTime};
///
/// use obs_runtime::testing::{Capture, Clock};
/// use obs_runtime::track_performance;
///
/// let clock = Clock::starting_at(SystemTime::UNIX_EPOCH);
/// let captured = Capture::new().clock(&clock).run(|| track_performance("load", || clock.advance(Duration::from_secs(90))));
/// captured.histogram("operation.duration.seconds").with("operation", "load").sum_is(90);
/// assert_eq!(captured.calls().name("load").once().duration, Duration::from_secs(90));
/// ```
#[derive(Clone, Debug)]
pub struct Clock(pub(super) Arc<FakeTime>);

impl Clock {
    /// A clock that stands at the current time.
    #[must_use]
    pub fn new() -> Self {
        Self::starting_at(SystemTime::now())
    }

    /// A clock that stands at a point in time.
    #[must_use]
    pub fn starting_at(time: SystemTime) -> Self {
        Self(Arc::new(FakeTime::starting_at(time)))
    }

    /// Moves the clock on.
    pub fn advance(&self, by: Duration) {
        self.0.advance(by);
    }

    /// The time that it shows.
    #[must_use]
    pub fn now(&self) -> SystemTime {
        self.0.wall()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new()
    }
}
