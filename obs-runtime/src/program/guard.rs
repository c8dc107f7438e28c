//! The guard that keeps obs initialised, and the end of a program.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::thread::{self, ThreadId};
use std::time::Instant;

use crate::checks::health::readiness;
use crate::config::settings::Setting;
use crate::config::validated::Config;
use crate::context::current::Context;
use crate::events::panics;
#[cfg(feature = "_user-metrics")]
use crate::exporters::aggregation::user_snapshot;
use crate::instrument::command::{cancel_commands_of, end_commands};
use crate::instrument::error_dedup::registry;
use crate::metrics::snapshot::Snapshot;
use crate::pipeline::fan_out::FanOut;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline as _;
use crate::pipeline::log_level::LogLevelHandle;
#[cfg(unix)]
use crate::program::at_exit;
use crate::program::early_drop::{self, EarlyDrop};
#[cfg(unix)]
use crate::program::hangup;
use crate::program::init::exclusive;
use crate::program::queries;
use crate::program::self_checks::registration::SelfChecks;
#[cfg(unix)]
use crate::program::signals;

/// Keeps obs initialised. Its drop flushes every exporter within `OBS_FLUSH_TIMEOUT`: on return, on `Err` and while a panic
/// unwinds. Commands that still run on other threads or in tasks end as `cancelled`; nothing is recorded of them afterwards.
#[must_use = "obs is shut down when the guard is dropped"]
pub struct Guard {
    pub(crate) early_drop: EarlyDrop,
    pub(crate) log_level: LogLevelHandle,
    #[cfg(unix)]
    pub(crate) signals: Option<signals::Watch>,
    #[cfg(unix)]
    pub(crate) hangup: Option<hangup::Hangup>,
    pub(crate) self_checks: Option<SelfChecks>,
    pub(crate) pipeline: Arc<FanOut>,
    #[cfg(feature = "prometheus")]
    pub(crate) server: Option<crate::program::server::listener::Server>,
}

impl Guard {
    /// The address that Prometheus can scrape; none when metrics are disabled, or the port is off or was in use.
    #[must_use]
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        #[cfg(feature = "prometheus")]
        return self.server.as_ref().map(crate::program::server::listener::Server::local_addr);
        #[cfg(not(feature = "prometheus"))]
        None
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &Config {
        self.pipeline.config()
    }

    /// Each setting, its value and its source. Secrets are masked.
    #[must_use]
    pub fn settings(&self) -> &[Setting] {
        self.pipeline.settings()
    }

    /// A handle that changes the log level at run time.
    #[must_use]
    pub fn log_level(&self) -> LogLevelHandle {
        self.log_level.clone()
    }

    /// Sets whether the program takes requests. While it does not, `/readyz` answers 503; `/livez` does not change. After
    /// SIGTERM the program is not ready, and this does not change that. The default is true.
    ///
    /// ```
    /// let guard = obs_runtime::Observability::builder().without_environment().prometheus_port(0).init()?;
    /// guard.set_ready(false);
    /// // … fill a cache …
    /// guard.set_ready(true);
    /// # Ok::<_, obs_runtime::InitError>(())
    /// ```
    pub fn set_ready(&self, ready: bool) {
        readiness::set_ready(ready);
    }

    /// Flushes every exporter. Returns after `OBS_FLUSH_TIMEOUT` at the latest.
    pub fn flush(&self) {
        registry::flush_all(&*self.pipeline, FlushMode::Ongoing(Instant::now()));
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Guard").field("metrics_address", &self.metrics_address()).finish_non_exhaustive()
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        if !self.config().enabled {
            return;
        }
        wait_for_exit();
        self.early_drop.warn(&self.pipeline);
        drop(self.self_checks.take());
        let begun = Instant::now();
        panics::note_end_of_process();
        cancel_commands_of(&*self.pipeline);
        queries::finish();
        registry::flush_all(&*self.pipeline, FlushMode::Final(begun));
        #[cfg(unix)]
        drop((self.signals.take(), self.hangup.take()));
        let _shutting_down = exclusive::shut_down();
        global::uninstall();
        self.pipeline.close();
        Context::set_root(None);
        // The next initialisation can have its port.
        #[cfg(feature = "prometheus")]
        drop(self.server.take());
    }
}

/// The thread that ends the process by [`exit`].
static EXITING: OnceLock<ThreadId> = OnceLock::new();

/// Ends all running commands, flushes every exporter within `OBS_FLUSH_TIMEOUT` and ends the process.
///
/// The commands around the caller end by this exit code; those of other threads and tasks end as `cancelled`. The context of
/// a command, and with it what counts as around the caller, travels with [`spawn`](crate::spawn) and `in_current_context()`.
///
/// On Unix, `std::process::exit` flushes too. The exit code is not known then: every running command ends as `cancelled`
/// without one. `abort`, `_exit` and SIGKILL cannot be handled; a command ended by these has no finish line.
///
/// If several threads call it, the code of the first one is used; the others wait for the end, and so does the drop of the
/// [`Guard`] on another thread.
pub fn exit(code: i32) -> ! {
    let here = thread::current().id();
    EXITING.get_or_init(|| here);
    wait_for_exit();
    let begun = Instant::now();
    // The operating system keeps the lowest eight bits.
    end_commands(code.to_le_bytes()[0]);
    queries::end();
    registry::flush(FlushMode::Final(begun));
    #[cfg(unix)]
    at_exit::mark_flushed();
    std::process::exit(code)
}

/// Waits for the end of the process, if another thread has called [`exit`].
fn wait_for_exit() {
    let here = thread::current().id();
    while EXITING.get().is_some_and(|exiting| *exiting != here) {
        thread::park();
    }
}

/// Each setting, its value and its source. Secrets are masked. Empty when obs is not initialised; see
/// [`ObservabilityBuilder::settings`](crate::ObservabilityBuilder::settings) for the settings that would be used.
#[must_use]
pub fn settings() -> Vec<Setting> {
    early_drop::note_reading();
    global::pipeline().map(|pipeline| pipeline.settings().to_vec()).unwrap_or_default()
}

/// A snapshot of all metrics of obs that have a series, and of those that the program records by the macros of the crate
/// `metrics`. Empty when obs is not initialised. In a capture of the feature `testing`, it has the metrics of obs only: the capture
/// returns both.
#[must_use]
pub fn metrics() -> Snapshot {
    early_drop::note_reading();
    let Some(pipeline) = global::pipeline() else { return Snapshot::default() };
    #[cfg(feature = "_user-metrics")]
    let user = if global::is_scoped() { Vec::new() } else { user_snapshot::metrics() };
    #[cfg(not(feature = "_user-metrics"))]
    let user = Vec::new();
    Snapshot { user, ..pipeline.measured() }
}
