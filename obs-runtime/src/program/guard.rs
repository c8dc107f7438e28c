//! What is alive while obs is initialised, and the orderly end of a program.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};

use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::instrument::command::end_commands;
use crate::instrument::error_dedup::registry;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline as _;
use crate::pipeline::log_level::LogLevelHandle;
#[cfg(unix)]
use crate::program::at_exit;
use crate::program::self_checks::registration::SelfChecks;
#[cfg(unix)]
use crate::program::signals;

/// Flushes every sink when it is dropped, under `OBS_FLUSH_TIMEOUT`: on return, on `Err` and while a panic unwinds.
#[must_use = "dropped at once, the guard ends what it guards"]
pub struct Guard {
    pub(crate) log_level: LogLevelHandle,
    #[cfg(unix)]
    pub(crate) signals: Option<signals::Watch>,
    #[cfg(unix)]
    pub(crate) hangup: Option<signals::Hangup>,
    pub(crate) self_checks: Option<SelfChecks>,
    pub(crate) pipeline: Arc<FanOut>,
    #[cfg(feature = "prometheus")]
    pub(crate) server: Option<crate::program::server::listener::Server>,
}

impl Guard {
    /// Where Prometheus can scrape this program; none when metrics are off or the port was taken.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "prometheus")]
        return self.server.as_ref().map(crate::program::server::listener::Server::local_addr);
        #[cfg(not(feature = "prometheus"))]
        None
    }

    /// What obs was told to do.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.pipeline.config()
    }

    /// What obs was told to do, variable by variable, and by whom; never with a secret.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        self.pipeline.settings()
    }

    /// Changes which lines are logged while the program runs.
    #[must_use]
    pub fn log_level(&self) -> LogLevelHandle {
        self.log_level.clone()
    }

    /// Brings everything recorded so far to where it belongs, within `OBS_FLUSH_TIMEOUT`.
    pub fn flush(&self) {
        registry::flush_all(&*self.pipeline, FlushMode::Ongoing);
    }
}

/// Lets the jobs that nobody waits for be told to stop, for a part of the time that a flush may take.
#[cfg(feature = "bigquery")]
fn finish_cancellations(config: &Config) {
    crate::bigquery::client::cancel::finish_cancellations(config.flush_timeout / 4);
}

impl Drop for Guard {
    fn drop(&mut self) {
        drop(self.self_checks.take());
        #[cfg(feature = "bigquery")]
        finish_cancellations(self.pipeline.config());
        registry::flush_all(&*self.pipeline, FlushMode::Final);
        #[cfg(unix)]
        drop((self.signals.take(), self.hangup.take()));
        global::uninstall();
        self.pipeline.close();
        Context::set_root(None);
    }
}

/// Ends the commands that this code runs in by this exit code, flushes every sink and ends the process.
///
/// `std::process::exit` is caught too, on Unix: everything is flushed. But nobody knows then how the commands ended that were
/// running: they have no finish line, no duration, and count as started only. `abort`, `_exit` and SIGKILL cannot be caught.
///
/// Of several threads that call it, the first one's code counts; the others wait for the end.
pub fn exit(code: i32) -> ! {
    static EXITING: OnceLock<ThreadId> = OnceLock::new();
    let here = thread::current().id();
    while *EXITING.get_or_init(|| here) != here {
        thread::park();
    }
    // The system keeps the lowest eight bits.
    end_commands(code.to_le_bytes()[0]);
    #[cfg(feature = "bigquery")]
    if let Some(pipeline) = global::pipeline() {
        finish_cancellations(pipeline.config());
    }
    registry::flush(FlushMode::Final);
    #[cfg(unix)]
    at_exit::orderly();
    std::process::exit(code)
}

/// What obs was told to do, variable by variable, and by whom; never with a secret. Empty when obs is not initialised: then
/// [`ObservabilityBuilder::settings`](crate::ObservabilityBuilder::settings) says what it would be told.
#[must_use]
pub fn settings() -> Vec<Setting> {
    global::pipeline().map(|pipeline| pipeline.settings().to_vec()).unwrap_or_default()
}

/// What was measured so far: every family that has a series. Empty when obs is not initialised.
#[must_use]
pub fn metrics() -> Snapshot {
    global::pipeline().map(|pipeline| pipeline.measured()).unwrap_or_default()
}
