//! SIGHUP reopens the log file in a program without a terminal.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};

use signal_hook::consts::SIGHUP;
use signal_hook::flag;

use crate::base::ffi::{SignalAction, signal_action};
use crate::exporters::log::log_file;

/// Whether SIGHUP has its default action; set once the handler is installed.
static HANGUP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Until it is dropped, SIGHUP reopens the log file instead of ending the process.
#[derive(Debug)]
pub struct Hangup(());

/// Makes SIGHUP reopen the log file, as logrotate's `postrotate` expects. Not in a program with a terminal, where SIGHUP
/// means that the terminal was closed, and not if the program has a handler of its own.
///
/// # Errors
/// If the system refuses.
pub fn reopen_on_hangup() -> io::Result<Option<Hangup>> {
    if HANGUP.get().is_none() {
        if std::fs::File::open("/dev/tty").is_ok() || signal_action(SIGHUP)? != SignalAction::Default {
            return Ok(None);
        }
        let by_default = HANGUP.get_or_init(Arc::default);
        flag::register_conditional_default(SIGHUP, Arc::clone(by_default))?;
        flag::register(SIGHUP, Arc::clone(&log_file::REOPEN))?;
    }
    Ok(HANGUP.get().map(|by_default| {
        by_default.store(false, Ordering::SeqCst);
        Hangup(())
    }))
}

impl Drop for Hangup {
    fn drop(&mut self) {
        if let Some(by_default) = HANGUP.get() {
            by_default.store(true, Ordering::SeqCst);
        }
    }
}
