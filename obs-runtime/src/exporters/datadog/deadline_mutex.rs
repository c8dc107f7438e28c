//! Something that one thread at a time uses, and for which the others wait no longer than they have time.

use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Instant;

/// What is used in turns.
#[derive(Debug)]
pub struct Turn<T> {
    /// Nothing while a thread uses it.
    value: Mutex<Option<T>>,
    given_back: Condvar,
}

/// Gives the value back, also while a panic unwinds.
struct Using<'t, T> {
    turn: &'t Turn<T>,
    value: Option<T>,
}

impl<T> Turn<T> {
    /// Nobody's turn yet.
    pub const fn new(value: T) -> Self {
        Self { value: Mutex::new(Some(value)), given_back: Condvar::new() }
    }

    /// Uses the value when it is this thread's turn. Waits for that until the deadline at most; none when others used it
    /// until then.
    pub fn with<R>(&self, deadline: Instant, using: impl FnOnce(&mut T) -> R) -> Option<R> {
        let value = self.value.lock().unwrap_or_else(PoisonError::into_inner);
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.given_back.wait_timeout_while(value, left, |value| value.is_none());
        let (mut value, _) = waited.unwrap_or_else(PoisonError::into_inner);
        let mut taken = Using { turn: self, value: value.take() };
        drop(value);
        taken.value.as_mut().map(using)
    }
}

impl<T> Drop for Using<'_, T> {
    fn drop(&mut self) {
        if let Some(value) = self.value.take() {
            *self.turn.value.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
            self.turn.given_back.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Duration;

    use super::*;

    #[test]
    fn one_waits_for_another_but_not_longer_than_told() {
        let turn = Turn::new(1);
        let (begun, used) = mpsc::channel();
        let (end, ending) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let turn = &turn;
            let long = scope.spawn(move || {
                turn.with(Instant::now(), |value| {
                    begun.send(()).unwrap();
                    ending.recv().unwrap();
                    *value += 1;
                })
            });
            used.recv().unwrap();
            assert_eq!(turn.with(Instant::now() + Duration::from_millis(5), |value| *value), None);
            let waiting = scope.spawn(|| turn.with(Instant::now() + Duration::from_mins(1), |value| *value));
            end.send(()).unwrap();
            assert_eq!((long.join().unwrap(), waiting.join().unwrap()), (Some(()), Some(2)));
        });
    }

    #[test]
    fn a_panic_gives_it_back() {
        let turn = Turn::new(7);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            turn.with(Instant::now(), |_| panic!("while using it"));
        }));
        assert!(panicked.is_err());
        assert_eq!(turn.with(Instant::now(), |value| *value), Some(7));
    }
}
