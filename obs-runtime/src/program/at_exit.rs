//! The end of a process by `std::process::exit`, without a word to obs: what is not flushed yet is flushed all the same.
//!
//! C's `atexit` is the one way to be told. When the function runs, storage of the thread that ends the process may be gone
//! already, which everything here survives; other threads still run, so sinks are flushed as ever, under their deadline.
//!
//! How a command ended that was running is not known, as the exit code is not told: it counts as started only.

use std::panic::catch_unwind;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::base::ffi;
use crate::instrument::error_dedup::registry;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;

/// The process that asked to be told: a fork has not, and what it would send is sent by its parent.
static PROCESS: OnceLock<u32> = OnceLock::new();

/// Whether the end was in obs' own hands.
static ORDERLY: AtomicBool = AtomicBool::new(false);

/// Flushes at the end of the process from now on, as long as obs is initialised then.
pub fn watch() {
    PROCESS.get_or_init(|| {
        // Where there is no room for another function, nothing is lost that was not lost without this.
        let _ = ffi::atexit(ended);
        std::process::id()
    });
}

/// Says that everything has been flushed and the process ends now.
pub fn orderly() {
    ORDERLY.store(true, Ordering::SeqCst);
}

extern "C" fn ended() {
    // There is nobody left to tell of a panic.
    let _ = catch_unwind(|| {
        let ours = PROCESS.get() == Some(&std::process::id());
        if ours && !ORDERLY.load(Ordering::SeqCst) && global::is_installed() {
            registry::flush(FlushMode::Final);
        }
    });
}
