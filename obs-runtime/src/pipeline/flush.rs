//! Flushes all exporters concurrently, under one deadline.
//!
//! A backend that hangs costs its deadline once: an exporter that missed it is skipped for a while, so that neither a
//! frequent command nor the end of the program (last command, then guard) waits for it again.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::clock;
use crate::exporters::interface::{Exporter, FlushError, Flushed, no_answer_within};
use crate::metrics::delivery_stats;

/// How many timeouts an exporter that missed one is skipped for while the program runs.
const BACKOFF: u32 = 10;

/// Whether the program continues after a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// An outermost command has started: only exporters that want it are flushed, on threads that are not waited for.
    Start,
    /// A command has ended, or the program asked for the flush, at this time.
    Ongoing(Instant),
    /// The program ends. What it did for that since this time, such as cancelling queries, counts towards the deadline.
    Final(Instant),
}

impl FlushMode {
    /// What the deadline counts from.
    pub const fn begun(self) -> Option<Instant> {
        match self {
            Self::Start => None,
            Self::Ongoing(begun) | Self::Final(begun) => Some(begun),
        }
    }
}

/// Flushes exporters, and remembers which ones were late.
#[derive(Debug, Default)]
pub struct Flusher {
    /// When each late exporter last missed its deadline.
    late: Mutex<HashMap<&'static str, Instant>>,
    /// The results of flushes at the start of a command.
    starts: Mutex<Vec<mpsc::Receiver<(&'static str, FlushResult)>>>,
}

/// The failures of one flush. Each is recorded before its exporter counts as late, so that an exporter which a concurrent
/// flush skips has a reason already.
struct Failures<R> {
    started: Instant,
    redact: R,
    /// Those that differ from the exporter's previous one, at most one for each exporter.
    new: Vec<FlushError>,
}

impl<R: Fn(&str) -> String> Failures<R> {
    fn record(&mut self, failure: FlushError) {
        let reason = (self.redact)(&failure.reason);
        let is_new = delivery_stats::record(failure.sink, self.started.elapsed(), Err(reason));
        // The start of a command and its end can fail for the same cause, in different words.
        if is_new && !self.new.iter().any(|known| known.sink == failure.sink) {
            self.new.push(failure);
        }
    }
}

/// The result of an exporter's flush, or its panic.
type FlushResult = thread::Result<Result<Flushed, FlushError>>;

impl Flusher {
    /// Flushes all exporters concurrently and waits for them until the deadline. A late exporter continues on its own
    /// thread. Returns the failures that differ from the exporter's previous one; `redact` makes a reason fit to be kept.
    pub fn flush(
        &self,
        exporters: &[Arc<dyn Exporter>],
        timeout: Duration,
        mode: FlushMode,
        redact: impl Fn(&str) -> String,
    ) -> Vec<FlushError> {
        if mode == FlushMode::Start {
            self.flush_in_background(exporters, timeout);
            return Vec::new();
        }
        let started = Instant::now();
        let deadline = clock::deadline(mode.begun().unwrap_or(started), timeout);
        let (done, results) = mpsc::channel();
        let mut pending = Vec::new();
        let mut given_up = Vec::new();
        let mut failures = Failures { started, redact, new: Vec::new() };
        for exporter in exporters {
            let (is_last, flushed) = (matches!(mode, FlushMode::Final(_)), Arc::clone(exporter));
            if self.in_backoff(exporter.name(), timeout, mode) {
                delivery_stats::count_failed(exporter.name());
                if is_last {
                    given_up.extend(give_up(flushed, deadline));
                }
                continue;
            }
            let done = done.clone();
            let flush = move || {
                let flush = || if is_last { flushed.flush_last(deadline) } else { flushed.flush(deadline) };
                let result = catch_unwind(AssertUnwindSafe(flush));
                // The receiver is gone once the deadline has passed.
                let _ = done.send((flushed.name(), result));
            };
            match thread::Builder::new().name(format!("obs-flush-{}", exporter.name())).spawn(flush) {
                Ok(_) => pending.push(exporter),
                Err(error) => failures.record(FlushError { sink: exporter.name(), reason: error.to_string() }),
            }
        }
        // Those of the same exporter, which its flush has waited for, come first.
        for start in std::mem::take(&mut *self.starts.lock().unwrap_or_else(PoisonError::into_inner)) {
            if let Ok((sink, result)) = start.recv_timeout(deadline.saturating_duration_since(Instant::now()))
                && let Some(failure) = Self::settled(sink, result, started.elapsed())
            {
                failures.record(failure);
            }
        }
        while !pending.is_empty() {
            let Ok((sink, result)) = results.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                break;
            };
            pending.retain(|late| late.name() != sink);
            match Self::settled(sink, result, started.elapsed()) {
                None => {
                    self.late().remove(sink);
                }
                Some(failure) => {
                    failures.record(failure);
                    if started.elapsed() >= timeout / 2 {
                        self.late().insert(sink, Instant::now());
                    }
                }
            }
        }
        for exporter in pending {
            let limit = no_answer_within(timeout);
            let reason = catch_unwind(AssertUnwindSafe(|| exporter.late(limit.clone()))).unwrap_or(limit);
            failures.record(FlushError { sink: exporter.name(), reason });
            self.late().insert(exporter.name(), Instant::now());
        }
        for given_up in given_up {
            let _ = given_up.recv_timeout(deadline.saturating_duration_since(Instant::now()));
        }
        failures.new
    }

    /// Records a flush that succeeded; returns why it failed.
    fn settled(sink: &'static str, result: FlushResult, took: Duration) -> Option<FlushError> {
        match result {
            Ok(Ok(Flushed::Delivered)) => {
                delivery_stats::record(sink, took, Ok(()));
                None
            }
            Ok(Ok(Flushed::Nothing)) => None,
            Ok(Err(error)) => Some(error),
            Err(_) => Some(FlushError { sink, reason: "panicked".to_owned() }),
        }
    }

    /// Delivers the start of a command, by each exporter that wants it on a thread of its own. The next flush reports whether
    /// that failed.
    fn flush_in_background(&self, exporters: &[Arc<dyn Exporter>], timeout: Duration) {
        for exporter in exporters {
            let name = exporter.name();
            let measure = || {
                if self.in_backoff(name, timeout, FlushMode::Start) { None } else { Arc::clone(exporter).at_start() }
            };
            let Ok(Some(deliver)) = catch_unwind(AssertUnwindSafe(measure)) else { continue };
            let (done, result) = mpsc::channel();
            let flush = move || {
                let deadline = clock::deadline(Instant::now(), timeout);
                let result = catch_unwind(AssertUnwindSafe(|| deliver(deadline)));
                // The receiver may be gone already.
                let _ = done.send((name, result));
            };
            // Without a thread, the run is known at its end only.
            if thread::Builder::new().name("obs-flush-start".to_owned()).spawn(flush).is_ok() {
                self.starts.lock().unwrap_or_else(PoisonError::into_inner).push(result);
            }
        }
    }

    fn late(&self) -> MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether an exporter was late so recently that it is skipped.
    fn in_backoff(&self, name: &str, timeout: Duration, mode: FlushMode) -> bool {
        let backoff = match mode {
            FlushMode::Start | FlushMode::Ongoing(_) => timeout.saturating_mul(BACKOFF),
            FlushMode::Final(_) => timeout,
        };
        self.late().get(name).is_some_and(|late| late.elapsed() < backoff)
    }
}

/// Has a late exporter count what it loses, on a thread of its own, which drops the sender when it is done.
fn give_up(exporter: Arc<dyn Exporter>, deadline: Instant) -> Option<mpsc::Receiver<()>> {
    let (done, is_done) = mpsc::channel();
    let give_up = move || {
        let _done = done;
        let _ = catch_unwind(AssertUnwindSafe(|| exporter.give_up(deadline)));
    };
    thread::Builder::new().name("obs-give-up".to_owned()).spawn(give_up).is_ok().then_some(is_done)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    struct Slow {
        name: &'static str,
        flushed: AtomicU32,
        takes: Duration,
    }

    impl Slow {
        fn new(name: &'static str, takes: Duration) -> Arc<Self> {
            Arc::new(Self { name, flushed: AtomicU32::new(0), takes })
        }
    }

    impl Exporter for Slow {
        fn name(&self) -> &'static str {
            self.name
        }

        fn flush(&self, _: Instant) -> Result<Flushed, FlushError> {
            self.flushed.fetch_add(1, Ordering::SeqCst);
            thread::sleep(self.takes);
            Ok(Flushed::Delivered)
        }
    }

    fn flush(flusher: &Flusher, exporter: &Arc<Slow>, timeout: Duration, mode: FlushMode) -> usize {
        flusher.flush(&[Arc::clone(exporter) as Arc<dyn Exporter>], timeout, mode, str::to_owned).len()
    }

    #[test]
    fn the_time_that_the_end_of_a_program_took_before_its_flush_counts_towards_the_deadline() {
        let flusher = Flusher::default();
        let slow = Slow::new("flush-at-end", Duration::from_secs(30));
        let timeout = Duration::from_mins(1);
        let begun = Instant::now().checked_sub(timeout).unwrap();
        assert_eq!(flush(&flusher, &slow, timeout, FlushMode::Final(begun)), 1, "no time is left");
    }

    #[test]
    fn a_timeout_of_any_length_is_accepted() {
        let flusher = Flusher::default();
        let quick = Slow::new("flush-quick", Duration::ZERO);
        for timeout in [Duration::from_mins(1), Duration::MAX] {
            assert_eq!(flush(&flusher, &quick, timeout, FlushMode::Ongoing(Instant::now())), 0);
        }
        assert_eq!(quick.flushed.load(Ordering::SeqCst), 2);
        assert!(flusher.flush(&[], Duration::ZERO, FlushMode::Final(Instant::now()), str::to_owned).is_empty());
    }

    #[test]
    fn a_late_exporter_is_skipped_for_a_while_and_reported_once() {
        let flusher = Flusher::default();
        let (hanging, timeout) = (Slow::new("flush-hanging", Duration::from_mins(10)), Duration::from_millis(200));
        assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing(Instant::now())), 1);
        let started = Instant::now();
        for _ in 0..100 {
            assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing(Instant::now())), 0);
        }
        assert!(started.elapsed() < timeout * BACKOFF, "waited for an exporter in backoff");
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 1);
        // Pretends that time has passed.
        flusher.late().insert("flush-hanging", Instant::now().checked_sub(timeout * 2).unwrap());
        assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing(Instant::now())), 0);
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 1);
        assert_eq!(
            flush(&flusher, &hanging, timeout, FlushMode::Final(Instant::now())),
            0,
            "the same failure is not reported again"
        );
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 2, "the final flush tries again");
        assert_eq!(delivery_stats::all()["flush-hanging"].failed, 103);
    }
}
