//! Ends the running commands and flushes when the process ends by `std::process::exit`.
//!
//! C's `atexit` is the only hook. Thread-local storage of the exiting thread may already be destroyed when it runs; other
//! threads still run, so commands end on a thread of their own, and exporters flush under their deadline as usual.
//!
//! The hook does not get the exit code: a command that was running is `cancelled`, without one.

use std::panic::catch_unwind;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::Instant;

use crate::base::ffi;
use crate::instrument::command::cancel_commands;
use crate::instrument::error_dedup::registry;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::program::queries;

/// The process that registered the hook. A fork inherits the hook, but its parent sends what was recorded.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Whether obs has flushed already.
static FLUSHED: AtomicBool = AtomicBool::new(false);

/// Registers the hook once. It flushes if obs is initialised when the process ends.
pub fn watch() {
    PROCESS.get_or_init(|| {
        // Fails when the table of hooks is full; then nothing is flushed.
        let _ = ffi::atexit(ended);
        std::process::id()
    });
}

/// Disables the hook, because everything has been flushed.
pub fn mark_flushed() {
    FLUSHED.store(true, Ordering::SeqCst);
}

extern "C" fn ended() {
    // A panic must not unwind into C.
    let _ = catch_unwind(|| {
        let ours = PROCESS.get() == Some(&std::process::id());
        if ours && !FLUSHED.load(Ordering::SeqCst) && global::is_installed() {
            let begun = Instant::now();
            cancel_running();
            queries::end();
            registry::flush(FlushMode::Final(begun));
        }
    });
}

/// Ends the running commands, for which it waits a quarter of the flush timeout: the exiting thread may hold a lock that the
/// end of a command needs.
fn cancel_running() {
    let Some(pipeline) = global::pipeline() else { return };
    let (done, ended) = mpsc::channel();
    let cancel = move || {
        cancel_commands("exit", "the program exited", None);
        // The receiver is gone once the time is over.
        let _ = done.send(());
    };
    if thread::Builder::new().name("obs-exit".to_owned()).spawn(cancel).is_ok() {
        let _ = ended.recv_timeout(pipeline.config().flush_timeout / 4);
    }
}
