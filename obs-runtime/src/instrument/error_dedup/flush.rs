//! Errors that nobody comes to handle are told all the same.

#[cfg(feature = "testing")]
use std::sync::Arc;
use std::sync::Once;
use std::thread;
use std::time::Duration;

use crate::base::clock::Stamp;
use crate::instrument::error_dedup::pending_error::tell;
use crate::instrument::error_dedup::store::Store;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// How long an error waits for the calls that it has still to pass. Told then, it is told once all the same.
const LONGEST_WAIT: Duration = Duration::from_secs(5);

/// Tells all errors that wait for a call, with what is known of them by now.
fn tell_all() {
    tell(Store::with(|store| store.end_all(|_, _| true)).unwrap_or_default());
}

/// Tells those of one pipeline.
#[cfg(feature = "testing")]
pub fn tell_all_of(pipeline: &Arc<dyn Pipeline>) {
    tell(Store::with(|store| store.end_all(|other, _| Arc::ptr_eq(other, pipeline))).unwrap_or_default());
}

/// Tells all errors, then flushes every sink of this moment's pipeline.
pub fn flush(mode: FlushMode) {
    tell_all();
    global::flush(mode);
}

/// Tells all errors, then flushes every sink of a pipeline.
pub fn flush_all(pipeline: &dyn Pipeline, mode: FlushMode) {
    tell_all();
    global::flush_all(pipeline, mode);
}

/// Has errors told that wait too long, from now on.
pub(super) fn watch() {
    static WATCHED: Once = Once::new();
    WATCHED.call_once(|| {
        // Without the thread they are told later: by the next flush.
        let _ = thread::Builder::new().name("obs-errors".to_owned()).spawn(|| {
            loop {
                let longest = Store::with(|store| store.longest_wait()).flatten();
                let rest = longest.map_or(LONGEST_WAIT, |waited| LONGEST_WAIT.saturating_sub(waited));
                thread::sleep(rest.max(Duration::from_millis(100)));
                let late = |_: &_, since: Stamp| since.elapsed() >= LONGEST_WAIT;
                tell(Store::with(|store| store.end_all(late)).unwrap_or_default());
            }
        });
    });
}
