//! Lines of libraries that log by the `log` crate, as events of `tracing`.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::LevelFilter;
use tracing_log::{AsLog as _, LogTracer, log};

/// Whether the process' logger is ours to set the level of.
static OURS: AtomicBool = AtomicBool::new(false);

/// Takes in what is logged by the `log` crate, unless the program has a logger of its own.
pub fn install() {
    if LogTracer::init().is_ok() {
        OURS.store(true, Ordering::SeqCst);
        follow();
    }
}

/// Has the `log` crate leave out at once what no subscriber wants, as it does until somebody says otherwise.
pub fn follow() {
    if OURS.load(Ordering::SeqCst) {
        let wanted = LevelFilter::current().into_level();
        log::set_max_level(wanted.map_or(log::LevelFilter::Off, |level| level.as_log().to_level_filter()));
    }
}
