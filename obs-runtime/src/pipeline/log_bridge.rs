//! Turns records of the `log` crate into events of `tracing`.

use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::LevelFilter;
use tracing_log::{AsLog as _, LogTracer, log};

/// Whether the process' logger is the bridge, so that its level is obs' to set.
static INSTALLED: AtomicBool = AtomicBool::new(false);

/// Installs the bridge, unless the program has a logger of its own.
pub fn install() {
    if LogTracer::init().is_ok() {
        INSTALLED.store(true, Ordering::SeqCst);
        update_max_level();
    }
}

/// Sets the level of the `log` crate to that of the `tracing` subscriber.
pub fn update_max_level() {
    if INSTALLED.load(Ordering::SeqCst) {
        let max = LevelFilter::current().into_level();
        log::set_max_level(max.map_or(log::LevelFilter::Off, |level| level.as_log().to_level_filter()));
    }
}
