//! The errors that are still to be reported, for those who cannot wait until the calls around them end.
//!
//! Only an error that waits for a call enters the registry, and the registry does not keep it alive.

use std::sync::{Arc, Mutex, MutexGuard, Once, PoisonError, Weak};
use std::thread;
use std::time::Duration;

use crate::events::panics::caught;
use crate::instrument::error_dedup::pending_error::PendingError;
use crate::instrument::error_dedup::rate_limit;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// How long an error waits for the calls around it to end.
const MAX_WAIT: Duration = Duration::from_secs(5);

/// Shortest pause of the thread that reports what has waited too long.
const MIN_PAUSE: Duration = Duration::from_millis(100);

static OPEN: Mutex<Vec<Weak<PendingError>>> = Mutex::new(Vec::new());

fn open() -> MutexGuard<'static, Vec<Weak<PendingError>>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Enters an error that waits for a call.
pub(super) fn register(error: &Arc<PendingError>) {
    let mut open = open();
    if open.len() == open.capacity() {
        open.retain(|error| error.strong_count() > 0);
    }
    open.push(Arc::downgrade(error));
    drop(open);
    watch();
}

/// Reports the errors for which that is true, and returns those that are left.
fn report_where(is_due: impl Fn(&Arc<PendingError>) -> bool) -> Vec<Arc<PendingError>> {
    let errors: Vec<_> = open().iter().filter_map(Weak::upgrade).filter(|error| error.is_open()).collect();
    let (due, left): (Vec<_>, Vec<_>) = errors.into_iter().partition(is_due);
    for error in due {
        error.report();
    }
    left
}

/// Reports the errors of one pipeline.
#[cfg(feature = "testing")]
pub fn report_all_of(pipeline: &Arc<dyn Pipeline>) {
    report_where(|error| error.is_of(pipeline));
}

/// Reports all errors, then flushes every sink of the current pipeline.
pub fn flush(mode: FlushMode) {
    report_where(|_| true);
    if let (FlushMode::Final(_), Some(pipeline)) = (mode, global::pipeline()) {
        rate_limit::report_left_out(&*pipeline);
    }
    global::flush(mode);
}

/// Reports all errors, then flushes every sink of a pipeline.
pub fn flush_all(pipeline: &dyn Pipeline, mode: FlushMode) {
    report_where(|_| true);
    if matches!(mode, FlushMode::Final(_)) {
        rate_limit::report_left_out(pipeline);
    }
    global::flush_all(pipeline, mode);
}

/// Starts the thread that reports what has waited too long. Without it, such errors are reported by the next flush.
fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        let _ = thread::Builder::new().name("obs-errors".to_owned()).spawn(|| {
            loop {
                let oldest = caught(|| {
                    let left = report_where(|error| error.age() >= MAX_WAIT);
                    left.iter().map(|error| error.age()).max().unwrap_or_default()
                });
                let oldest = oldest.unwrap_or_default();
                thread::sleep(MAX_WAIT.saturating_sub(oldest).max(MIN_PAUSE));
            }
        });
    });
}
