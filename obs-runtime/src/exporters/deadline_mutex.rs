//! A mutex whose lock operation has a deadline.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// A mutual exclusion primitive with a timed lock.
#[derive(Debug)]
pub struct DeadlineMutex<T> {
    /// `None` while a thread holds it.
    value: Mutex<Option<T>>,
    released: Condvar,
}

/// Puts the value back on drop, also while a panic unwinds.
struct Held<'m, T> {
    mutex: &'m DeadlineMutex<T>,
    value: Option<T>,
}

impl<T> DeadlineMutex<T> {
    /// An unlocked mutex.
    pub const fn new(value: T) -> Self {
        Self { value: Mutex::new(Some(value)), released: Condvar::new() }
    }

    /// Runs `access` while holding the lock. Returns `None` when another thread holds it until the deadline.
    pub fn with<R>(&self, deadline: Instant, access: impl FnOnce(&mut T) -> R) -> Option<R> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.released.wait_timeout_while(value, left, |value| value.is_none());
        let (mut value, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut held = Held { mutex: self, value: value.take() };
        drop(value);
        held.value.as_mut().map(access)
    }
}

impl<T> Drop for Held<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            *self.mutex.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            self.mutex.released.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_thread_waits_for_the_lock_until_its_deadline() {
        let mutex = DeadlineMutex::new(1);
        let (begun, used) = mpsc::channel();
        let (end, ending) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let mutex = &mutex;
            let long = scope.spawn(move || {
                mutex.with(Instant::now(), |value| {
                    begun.send(()).unwrap();
                    ending.recv().unwrap();
                    *value += 1;
                })
            });
            used.recv().unwrap();
            assert_eq!(mutex.with(Instant::now() + Duration::from_millis(5), |value| *value), None);
            let waiting = scope.spawn(|| mutex.with(Instant::now() + Duration::from_mins(1), |value| *value));
            end.send(()).unwrap();
            assert_eq!((long.join().unwrap(), waiting.join().unwrap()), (Some(()), Some(2)));
        });
    }

    #[test]
    fn a_panic_releases_the_lock() {
        let mutex = DeadlineMutex::new(7);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            mutex.with(Instant::now(), |_| panic!("while holding it"));
        }));
        assert!(panicked.is_err());
        assert_eq!(mutex.with(Instant::now(), |value| *value), Some(7));
    }
}
