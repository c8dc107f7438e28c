//! Detects a guard that is dropped at once, as by `let _ = init_observability();`, about which no lint says anything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::metrics::registry;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::global;
#[cfg(feature = "_user-metrics")]
use crate::pipeline::user_metrics;

/// How long a guard lives that was not kept, on a busy machine too.
const AT_ONCE: Duration = Duration::from_millis(10);

/// Whether the program has read or printed what obs knows, since it was initialised.
static IS_READ: AtomicBool = AtomicBool::new(false);

/// Notes that the program reads or prints what obs knows, by a command for operators for example: its guard is meant.
pub fn note_reading() {
    // Written once, so that threads share the cache line.
    if !IS_READ.load(Ordering::Relaxed) {
        IS_READ.store(true, Ordering::Relaxed);
    }
}

/// When obs was initialised.
#[derive(Debug)]
pub struct EarlyDrop(Instant);

impl EarlyDrop {
    /// Begins at the end of the initialisation, whose own events do not count.
    pub fn watch(pipeline: &FanOut) -> Self {
        pipeline.used().store(false, Ordering::Relaxed);
        IS_READ.store(false, Ordering::Relaxed);
        #[cfg(feature = "_user-metrics")]
        user_metrics::forget_use();
        Self(Instant::now())
    }

    /// Warns, once in a process, if the guard did not live to see any event, call, metric or reading.
    pub fn warn(&self, pipeline: &FanOut) {
        static WARNED: AtomicBool = AtomicBool::new(false);
        let lifetime = self.0.elapsed();
        let is_used = pipeline.used().load(Ordering::Relaxed) || IS_READ.load(Ordering::Relaxed);
        #[cfg(feature = "_user-metrics")]
        let is_used = is_used || user_metrics::is_used();
        if lifetime > AT_ONCE || is_used || std::thread::panicking() {
            return;
        }
        let mut called = false;
        for callsite in registry::callsites() {
            callsite.for_each_total(|_, totals, _| called |= totals.started > 0);
        }
        if !called && !WARNED.swap(true, Ordering::Relaxed) {
            global::warn_with_help(
                "guard-dropped",
                format!(
                    "obs was shut down {lifetime:.0?} after it was initialised, before anything was recorded: keep the guard until \
                 the end of `main` with `let _guard = …`; `let _ = …` drops it at once"
                ),
            );
        }
    }
}
