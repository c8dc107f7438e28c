//! A clock that a test sets, on the threads that the test enters.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

/// Whether there ever was a fake clock: most processes read one flag and nothing else.
static ANY: AtomicBool = AtomicBool::new(false);

thread_local! {
    static ENTERED: RefCell<Option<Arc<FakeTime>>> = const { RefCell::new(None) };
}

/// A time that moves when it is told to.
#[derive(Debug)]
pub struct FakeTime {
    wall: SystemTime,
    monotonic: Instant,
    /// Nanoseconds since both.
    passed: AtomicU64,
}

impl FakeTime {
    /// A time that begins at this point.
    pub fn starting_at(wall: SystemTime) -> Self {
        Self { wall, monotonic: Instant::now(), passed: AtomicU64::new(0) }
    }

    /// Moves on.
    pub fn advance(&self, by: Duration) {
        let nanos = u64::try_from(by.as_nanos()).unwrap_or(u64::MAX);
        let _ =
            self.passed.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |passed| Some(passed.saturating_add(nanos)));
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }

    /// The point in time.
    pub fn wall(&self) -> SystemTime {
        self.wall.checked_add(Duration::from_nanos(self.passed())).unwrap_or(self.wall)
    }
}

/// Restores the previous clock of the thread when it is dropped.
#[derive(Debug)]
pub struct Entered(Option<Arc<FakeTime>>);

impl Drop for Entered {
    fn drop(&mut self) {
        let previous = self.0.take();
        let _ = ENTERED.try_with(|entered| entered.replace(previous));
    }
}

/// Uses this clock on this thread, or with `None` that of the system, until the result is dropped.
#[must_use = "the clock is left when it is dropped"]
pub fn enter(time: Option<Arc<FakeTime>>) -> Entered {
    if time.is_some() {
        ANY.store(true, Ordering::Relaxed);
    }
    Entered(ENTERED.try_with(|entered| entered.replace(time)).ok().flatten())
}

#[inline]
fn with<R>(read: impl FnOnce(&FakeTime) -> R) -> Option<R> {
    if !ANY.load(Ordering::Relaxed) {
        return None;
    }
    ENTERED.try_with(|entered| entered.borrow().as_deref().map(read)).ok().flatten()
}

/// Nanoseconds on the fake clock of this thread, if there is one.
#[inline]
pub fn nanos() -> Option<u64> {
    // Begins above zero, which stands for a reading that was never made.
    with(|time| time.passed().saturating_add(1))
}

/// The point in time on the fake clock of this thread, if there is one.
pub fn wall() -> Option<SystemTime> {
    with(FakeTime::wall)
}

/// The same for differences.
pub fn monotonic() -> Option<Instant> {
    with(|time| time.monotonic.checked_add(Duration::from_nanos(time.passed())).unwrap_or(time.monotonic))
}
