//! The flush at the end of an async command, which must not block its executor. It runs on another thread.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use crate::events::panics::caught;

/// The flushes of a pipeline that run in the background, one at a time. Each has a number.
#[derive(Debug, Default)]
pub struct BackgroundFlush {
    state: Mutex<State>,
    ended: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// The flush that was begun last.
    begun: u64,
    /// The flush that has ended last.
    ended: u64,
    /// Since when another one is requested. It begins when the one that runs has ended.
    requested: Option<Instant>,
    /// The futures that wait for a flush.
    waiting: Vec<Waker>,
}

impl State {
    fn begin(&mut self) -> u64 {
        self.begun += 1;
        self.begun
    }
}

/// What a request for a flush leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Requested {
    /// The caller is to run this flush.
    Run(u64),
    /// This flush will begin when the one that runs has ended.
    Later(u64),
}

impl BackgroundFlush {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Requests a flush of everything that was recorded until now. All requests during a flush are served by the next one.
    pub fn request(&self, now: Instant) -> Requested {
        let mut state = self.state();
        if state.begun == state.ended {
            return Requested::Run(state.begin());
        }
        state.requested.get_or_insert(now);
        Requested::Later(state.begun.saturating_add(1))
    }

    /// Ends the flush that runs. Begins the next one if it was requested, and returns since when; the caller is to run it.
    pub fn end(&self) -> Option<Instant> {
        let mut state = self.state();
        state.ended = state.begun;
        let requested = state.requested.take();
        if requested.is_some() {
            state.begin();
        }
        let waiting = std::mem::take(&mut state.waiting);
        drop(state);
        self.ended.notify_all();
        for waker in waiting {
            let _ = caught(|| waker.wake());
        }
        requested
    }

    /// Whether a flush has ended. If not, the task is woken when it may have.
    pub fn poll(&self, flush: u64, task: &Context<'_>) -> Poll<()> {
        let mut state = self.state();
        if state.ended >= flush {
            return Poll::Ready(());
        }
        if !state.waiting.iter().any(|waker| waker.will_wake(task.waker())) {
            state.waiting.push(task.waker().clone());
        }
        Poll::Pending
    }

    /// Waits on this thread until all flushes that are requested have ended, or until the deadline.
    pub fn wait(&self, deadline: Instant) {
        let mut state = self.state();
        let last = state.begun.saturating_add(u64::from(state.requested.is_some()));
        while state.ended < last {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.ended.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_during_a_flush_are_served_by_the_next_one() {
        let (flush, now) = (BackgroundFlush::default(), Instant::now());
        let task = Context::from_waker(Waker::noop());
        // Without a flush there is nothing to wait for.
        flush.wait(now);
        assert_eq!(flush.request(now), Requested::Run(1));
        assert_eq!((flush.request(now), flush.request(Instant::now())), (Requested::Later(2), Requested::Later(2)));
        assert!(flush.poll(1, &task).is_pending() && flush.poll(2, &task).is_pending());
        flush.wait(now);
        assert_eq!(flush.end(), Some(now), "since the first request");
        assert!(flush.poll(1, &task).is_ready() && flush.poll(2, &task).is_pending());
        assert_eq!(flush.end(), None);
        assert!(flush.poll(2, &task).is_ready());
        assert_eq!(flush.request(now), Requested::Run(3));
    }
}
