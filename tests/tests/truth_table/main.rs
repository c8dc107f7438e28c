//! Each ending of a command against each state of the backends: the log, the metrics, the textfile, the Pushgateway, Datadog,
//! Sentry, the status, the terminal and the exit status agree with each other and with what happened, and nothing waits
//! longer than the deadline.
#![cfg(target_os = "linux")]

mod agreement;
mod backends;
mod endings;
mod evidence;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use agreement::disagreements;
use backends::State;
use endings::ENDINGS;
use evidence::Evidence;

/// How many cases run at a time. Those whose backends hang only wait: all of them run beside the others.
const AT_A_TIME: usize = 4;

/// Runs these cases, so many at a time, and returns what is wrong with them.
fn run(states: &[State], at_a_time: usize) -> Vec<String> {
    let cases: Vec<_> = states.iter().flat_map(|state| ENDINGS.iter().map(move |ending| (ending, *state))).collect();
    let (next, found) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let work = || {
        while let Some((ending, state)) = cases.get(next.fetch_add(1, Ordering::SeqCst)) {
            let check = || disagreements(&Evidence::of(ending, *state), ending, *state);
            let wrong = catch_unwind(AssertUnwindSafe(check)).unwrap_or_else(|_| vec!["no evidence".to_owned()]);
            let wrong = wrong.into_iter().map(|wrong| format!("{} × {state:?}: {wrong}", ending.way));
            found.lock().unwrap().extend(wrong);
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..at_a_time {
            scope.spawn(work);
        }
    });
    found.into_inner().unwrap()
}

#[test]
fn everything_agrees_however_a_command_ends_and_whatever_its_backends_do() {
    let (hanging, others): (Vec<_>, Vec<_>) = State::ALL.iter().partition(|state| **state == State::Hanging);
    assert_eq!((hanging.len() + others.len()) * ENDINGS.len(), 104);
    let found = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| run(&hanging, ENDINGS.len()));
        let mut found = run(&others, AT_A_TIME);
        found.extend(waiting.join().unwrap());
        found
    });
    assert!(found.is_empty(), "{}", found.join("\n"));
}
