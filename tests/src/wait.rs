//! Waits for a condition with a deadline, instead of sleeping for a fixed time.

use std::future::Future;
use std::panic::resume_unwind;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

/// The pause between two attempts.
const PAUSE: Duration = Duration::from_millis(20);

/// How long to wait for what happens at once on an idle machine. A test that passes never waits this long.
pub const LONG: Duration = Duration::from_mins(1);

/// Calls `ask` until it returns a value; none when it does not in time.
pub fn poll<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + timeout;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
        thread::sleep(PAUSE);
    }
}

/// Calls `ask` until it returns a value, and panics with `what` when it does not in time.
#[track_caller]
pub fn until<T>(what: &str, timeout: Duration, ask: impl FnMut() -> Option<T>) -> T {
    poll(timeout, ask).unwrap_or_else(|| panic!("timed out after {timeout:?}: {what}"))
}

/// Waits until the condition holds, and panics with `what` when it does not within [`LONG`].
#[track_caller]
pub fn until_true(what: &str, mut condition: impl FnMut() -> bool) {
    until(what, LONG, || condition().then_some(()));
}

/// Runs a function on a thread of its own, and panics with `what` when it does not return within [`LONG`].
#[track_caller]
pub fn for_thread<T: Send + 'static>(what: &str, run: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let thread = thread::spawn(move || sender.send(run()));
    match receiver.recv_timeout(LONG) {
        Ok(value) => value,
        Err(RecvTimeoutError::Timeout) => panic!("timed out after {LONG:?}: {what}"),
        Err(RecvTimeoutError::Disconnected) => match thread.join() {
            Err(payload) => resume_unwind(payload),
            Ok(_) => unreachable!("the thread sends before it ends"),
        },
    }
}

/// Waits until the condition holds while other tasks run, and panics with `what` when it does not within [`LONG`].
pub async fn until_true_async(what: &str, mut condition: impl FnMut() -> bool) {
    let deadline = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < deadline, "timed out after {LONG:?}: {what}");
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

/// The output of a future, which has to be ready within [`LONG`].
pub async fn for_output<F: Future>(what: &str, future: F) -> F::Output {
    let output = tokio::time::timeout(LONG, future).await;
    output.unwrap_or_else(|_| panic!("timed out after {LONG:?}: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_returned() {
        let mut asked = 0;
        let answer = until("three", Duration::from_secs(10), || {
            asked += 1;
            (asked == 3).then_some("here")
        });
        assert_eq!((answer, asked), ("here", 3));
    }

    #[test]
    #[should_panic(expected = "timed out after 1ms: an event that never happens")]
    fn a_timeout_panics_with_a_description() {
        until("an event that never happens", Duration::from_millis(1), || None::<()>);
    }
}
