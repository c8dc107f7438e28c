//! All sinks flushed at once, under one deadline.
//!
//! A backend that hangs must not take its deadline again and again: not from a command that a program runs often, and not
//! twice when the program ends, for its last command and for its guard. A sink that was late is left alone for a while.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::exporters::interface::{Exporter, FlushError};
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;

/// What stands for a time limit that the clock cannot tell.
const NO_LIMIT: Duration = Duration::from_hours(24 * 365);

/// For how many deadlines a sink that was late is left alone while the program goes on.
const REST: u32 = 10;

/// Whether the program goes on after a flush.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlushMode {
    /// It does: a command has ended, or the program asked for it.
    Meanwhile,
    /// It ends: the last chance.
    Last,
}

/// Flushes sinks, and remembers which was late.
#[derive(Debug, Default)]
pub struct Flusher {
    /// When the flush ended for which a sink was late.
    late: Mutex<HashMap<&'static str, Instant>>,
}

impl Flusher {
    /// Flushes all sinks at once and waits for them until the deadline at most. A sink that is late is left behind on its
    /// own thread. Gives what failed and has not failed in the same way before; `redact` makes it fit to be kept.
    pub fn flush(
        &self,
        sinks: &[Arc<dyn Exporter>],
        timeout: Duration,
        mode: FlushMode,
        redact: impl Fn(&str) -> String,
    ) -> Vec<FlushError> {
        // A time limit too long for the clock is as good as none.
        let begun = Instant::now();
        let deadline = begun.checked_add(timeout).unwrap_or(begun + NO_LIMIT);
        let (done, results) = mpsc::channel();
        let mut waiting = Vec::new();
        let mut failed = Vec::new();
        for sink in sinks {
            if self.rests(sink.name(), timeout, mode) {
                drop_counters::count(sink.name(), "flush", 1);
                continue;
            }
            let (done, flushed) = (done.clone(), Arc::clone(sink));
            let flush = move || {
                let result = catch_unwind(AssertUnwindSafe(|| flushed.flush(deadline)));
                // Nobody listens any more when the deadline is over.
                let _ = done.send((flushed.name(), result));
            };
            match thread::Builder::new().name(format!("obs-flush-{}", sink.name())).spawn(flush) {
                Ok(_) => waiting.push(sink.name()),
                Err(error) => failed.push(FlushError { sink: sink.name(), reason: error.to_string() }),
            }
        }
        while !waiting.is_empty() {
            let Ok((sink, result)) = results.recv_timeout(deadline.saturating_duration_since(Instant::now())) else {
                break;
            };
            waiting.retain(|late| *late != sink);
            match result {
                Ok(Ok(())) => {
                    self.late().remove(sink);
                    delivery_stats::note(sink, begun.elapsed(), Ok(()));
                }
                Ok(Err(error)) => failed.push(error),
                Err(_) => failed.push(FlushError { sink, reason: "it panicked".to_owned() }),
            }
            if failed.last().is_some_and(|last| last.sink == sink) && begun.elapsed() >= timeout / 2 {
                self.late().insert(sink, Instant::now());
            }
        }
        for sink in waiting {
            self.late().insert(sink, Instant::now());
            failed.push(FlushError { sink, reason: "not done in time".to_owned() });
        }
        failed.retain(|failure| {
            drop_counters::count(failure.sink, "flush", 1);
            delivery_stats::note(failure.sink, begun.elapsed(), Err(redact(&failure.reason)))
        });
        failed
    }

    fn late(&self) -> std::sync::MutexGuard<'_, HashMap<&'static str, Instant>> {
        self.late.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a sink was late so recently that it is not tried.
    fn rests(&self, sink: &str, timeout: Duration, mode: FlushMode) -> bool {
        let rest = match mode {
            FlushMode::Ongoing => timeout.saturating_mul(REST),
            FlushMode::Final => timeout,
        };
        self.late().get(sink).is_some_and(|late| late.elapsed() < rest)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::base::level::Level;
    use crate::events::event::Event;
    use crate::exporters::interface::Topic;
    use crate::redact::redactor::Redacted;

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

        fn wants(&self, _: Topic, _: Level, _: &str) -> bool {
            false
        }

        fn least_level(&self) -> Option<Level> {
            None
        }

        fn accept(&self, _: &Redacted<Event<'_>>) {}

        fn flush(&self, _: Instant) -> Result<(), FlushError> {
            self.flushed.fetch_add(1, Ordering::SeqCst);
            thread::sleep(self.takes);
            Ok(())
        }
    }

    fn flush(flusher: &Flusher, sink: &Arc<Slow>, timeout: Duration, mode: FlushMode) -> usize {
        flusher.flush(&[Arc::clone(sink) as Arc<dyn Exporter>], timeout, mode, str::to_owned).len()
    }

    #[test]
    fn a_time_limit_of_any_length_can_be_waited_for() {
        let flusher = Flusher::default();
        let quick = Slow::new("flush-quick", Duration::ZERO);
        for timeout in [Duration::from_mins(1), Duration::MAX] {
            assert_eq!(flush(&flusher, &quick, timeout, FlushMode::Ongoing), 0);
        }
        assert_eq!(quick.flushed.load(Ordering::SeqCst), 2);
        assert!(flusher.flush(&[], Duration::ZERO, FlushMode::Final, str::to_owned).is_empty());
    }

    #[test]
    fn a_sink_that_was_late_is_left_alone_for_a_while_and_told_of_once() {
        let flusher = Flusher::default();
        let (hanging, timeout) = (Slow::new("flush-hanging", Duration::from_mins(10)), Duration::from_millis(200));
        assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing), 1);
        let begun = Instant::now();
        for _ in 0..100 {
            assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing), 0);
        }
        assert!(begun.elapsed() < timeout * REST, "it was not waited for");
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 1);
        // As if some time had passed.
        flusher.late().insert("flush-hanging", Instant::now().checked_sub(timeout * 2).unwrap());
        assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Ongoing), 0);
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 1);
        assert_eq!(flush(&flusher, &hanging, timeout, FlushMode::Final), 0, "it is known that it hangs");
        assert_eq!(hanging.flushed.load(Ordering::SeqCst), 2, "the last chance is taken");
        assert_eq!(drop_counters::all().into_iter().find(|dropped| dropped.0 == "flush-hanging").unwrap().2, 103);
    }
}
