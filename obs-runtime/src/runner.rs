//! Runs checks: each on a thread of its own with a time limit, some at once, none able to harm another.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use crate::clock::Stamp;
use crate::context::Context;
use crate::panics;

/// How many checks run at once.
const AT_ONCE: usize = 16;

/// What a check's function gives: its verdict, or a future of it.
pub enum Answer<V> {
    /// It was a plain function.
    Ready(V),
    /// It was an async one. It runs on the check's own thread, so it need not be `Send`.
    Pending(Pin<Box<dyn Future<Output = V>>>),
}

/// A check to be run.
pub struct Job<V> {
    /// Calls the check.
    pub run: fn() -> Answer<V>,
    /// How long it may take.
    pub timeout: Duration,
}

/// How running a check ended.
#[derive(Debug, PartialEq)]
pub enum Ending<V> {
    /// It gave its verdict.
    Done(V),
    /// It panicked, with these words.
    Panicked(String),
    /// It was not done in time. A function that cannot be stopped is left behind on its thread.
    TimedOut,
}

/// Runs all jobs and gives their endings in the order of the jobs, with the time that each took.
pub fn run_all<V: Send + 'static>(jobs: Vec<Job<V>>) -> Vec<(Ending<V>, Duration)> {
    let context = Context::current();
    let (done, results) = mpsc::channel();
    let mut endings: Vec<Option<(Ending<V>, Duration)>> = jobs.iter().map(|_| None).collect();
    let mut waiting: VecDeque<(usize, Job<V>)> = jobs.into_iter().enumerate().collect();
    let mut running: Vec<(usize, Instant, Duration)> = Vec::new();
    loop {
        while running.len() < AT_ONCE
            && let Some((index, job)) = waiting.pop_front()
        {
            let timeout = job.timeout;
            match start(index, job, context.clone(), done.clone()) {
                Ok(()) => running.push((index, Instant::now(), timeout)),
                Err(error) => {
                    let message = format!("no thread could be started: {error}");
                    endings[index] = Some((Ending::Panicked(message), Duration::ZERO));
                }
            }
        }
        let Some(first) = running.iter().map(|(_, start, timeout)| *start + *timeout).min() else { break };
        if let Ok((index, ending)) = results.recv_timeout(first.saturating_duration_since(Instant::now()))
            && let Some(at) = running.iter().position(|(known, ..)| *known == index)
        {
            let (_, start, _) = running.swap_remove(at);
            endings[index] = Some((ending, start.elapsed()));
        }
        running.retain(|(index, start, timeout)| {
            let late = start.elapsed() >= *timeout;
            if late {
                endings[*index] = Some((Ending::TimedOut, start.elapsed()));
            }
            !late
        });
    }
    endings.into_iter().map(|ending| ending.unwrap_or((Ending::TimedOut, Duration::ZERO))).collect()
}

fn start<V: Send + 'static>(
    index: usize,
    job: Job<V>,
    context: Context,
    done: mpsc::Sender<(usize, Ending<V>)>,
) -> std::io::Result<()> {
    let run = move || {
        let _inside = context.enter();
        let start = Stamp::now();
        let ending = match catch_unwind(AssertUnwindSafe(|| call(&job))) {
            Ok(ending) => ending,
            Err(payload) => Ending::Panicked(panics::message_since(start).unwrap_or_else(|| words(&*payload))),
        };
        // Nobody listens any more when it was late.
        let _ = done.send((index, ending));
    };
    std::thread::Builder::new().name("obs-check".to_owned()).spawn(run).map(drop)
}

fn call<V>(job: &Job<V>) -> Ending<V> {
    let start = Instant::now();
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => LeftBehind(Some(runtime)),
        Err(error) => return Ending::Panicked(format!("no runtime could be started: {error}")),
    };
    let Some(runtime) = &runtime.0 else { return Ending::TimedOut };
    // Also a plain function, and the making of a future, may ask for the current runtime.
    let inside = runtime.enter();
    let answer = (job.run)();
    drop(inside);
    match answer {
        Answer::Ready(verdict) => Ending::Done(verdict),
        Answer::Pending(future) => {
            let rest = job.timeout.saturating_sub(start.elapsed());
            runtime.block_on(async { tokio::time::timeout(rest, future).await }).map_or(Ending::TimedOut, Ending::Done)
        }
    }
}

/// A runtime whose drop does not wait for blocking tasks that a check has left there, whether it returned or panicked.
struct LeftBehind(Option<tokio::runtime::Runtime>);

impl Drop for LeftBehind {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

fn words(payload: &(dyn std::any::Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied().or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(run: fn() -> Answer<u8>) -> Job<u8> {
        Job { run, timeout: Duration::from_millis(300) }
    }

    #[test]
    fn checks_that_hang_or_panic_harm_no_other() {
        let start = Instant::now();
        let endings = run_all(vec![
            job(|| Answer::Ready(1)),
            job(|| panic!("broken")),
            job(|| {
                loop {
                    std::thread::park();
                }
            }),
            job(|| Answer::Pending(Box::pin(std::future::pending()))),
            job(|| Answer::Pending(Box::pin(async { 5 }))),
        ]);
        let endings: Vec<_> = endings.into_iter().map(|(ending, _)| ending).collect();
        assert_eq!(endings[0], Ending::Done(1));
        assert!(matches!(&endings[1], Ending::Panicked(words) if words.starts_with("broken")), "{endings:?}");
        assert_eq!(endings[2..], [Ending::TimedOut, Ending::TimedOut, Ending::Done(5)]);
        assert!(start.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn more_checks_than_run_at_once_all_run() {
        let endings = run_all((0..100).map(|_| job(|| Answer::Ready(7))).collect());
        assert!(endings.len() == 100 && endings.iter().all(|(ending, _)| *ending == Ending::Done(7)));
    }

    #[test]
    fn what_a_check_leaves_behind_does_not_keep_its_verdict_back() {
        fn leave_a_task() -> u8 {
            drop(tokio::task::spawn_blocking(|| std::thread::sleep(Duration::from_secs(3))));
            1
        }
        let start = Instant::now();
        let slow = |run| Job { run, timeout: Duration::from_secs(10) };
        let endings = run_all(vec![
            slow(|| Answer::Pending(Box::pin(async { leave_a_task() }))),
            slow(|| panic!("broken after {}", leave_a_task())),
        ]);
        assert_eq!(endings[0].0, Ending::Done(1));
        assert!(matches!(&endings[1].0, Ending::Panicked(words) if words.starts_with("broken")));
        assert!(start.elapsed() < Duration::from_secs(2));
    }
}
