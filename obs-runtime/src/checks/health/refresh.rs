//! Runs health checks at an interval in a long-running program, so that their gauges stay current.

use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

use crate::checks::health::list;
use crate::checks::health::run::run_health_checks;
use crate::events::panics::caught;
use crate::metrics::drop_counters;

/// Runs the checks until it is dropped.
#[derive(Debug)]
pub struct Refresh {
    /// Dropping it ends the thread.
    _stop: Sender<()>,
}

impl Refresh {
    /// Runs the checks at each interval, first after one interval, so that a short job is not disturbed. None when no
    /// thread can be started.
    pub fn every(interval: Duration) -> Option<Self> {
        let (stop, stopped) = channel::<()>();
        let run = move || {
            while stopped.recv_timeout(interval) == Err(RecvTimeoutError::Timeout) {
                if !list::checks().is_empty() && caught(|| run_health_checks().run()).is_err() {
                    drop_counters::count("checks", "panic", 1);
                }
            }
        };
        let started = std::thread::Builder::new().name("obs-refresh".to_owned()).spawn(run).is_ok();
        started.then_some(Self { _stop: stop })
    }
}
