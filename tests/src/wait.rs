//! The one way to wait: ask until there is an answer.

use std::time::{Duration, Instant};

/// The pause between two questions.
const PAUSE: Duration = Duration::from_millis(20);

/// Asks until there is an answer; none when there is none in time.
pub fn poll<T>(timeout: Duration, mut ask: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + timeout;
    loop {
        let answer = ask();
        if answer.is_some() || Instant::now() >= deadline {
            return answer;
        }
        std::thread::sleep(PAUSE);
    }
}

/// Asks until there is an answer, and panics with `what` when there is none in time.
#[track_caller]
pub fn until<T>(what: &str, timeout: Duration, ask: impl FnMut() -> Option<T>) -> T {
    poll(timeout, ask).unwrap_or_else(|| panic!("waited {timeout:?} in vain: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_answer_is_returned_as_soon_as_it_is_there() {
        let mut asked = 0;
        let answer = until("three", Duration::from_secs(10), || {
            asked += 1;
            (asked == 3).then_some("here")
        });
        assert_eq!((answer, asked), ("here", 3));
    }

    #[test]
    #[should_panic(expected = "in vain: a thing that never comes")]
    fn what_was_waited_for_is_named() {
        until("a thing that never comes", Duration::from_millis(1), || None::<()>);
    }
}
