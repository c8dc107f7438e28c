//! Changes the log level while the program runs.

use crate::config::filter::LogFilter;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::pipeline::global;

/// Changes the log filter while the program runs, from any thread: for example in a signal handler or an HTTP endpoint.
/// Returned by [`Guard::log_level`](crate::Guard::log_level).
///
/// ```
/// use obs_runtime::{Level, Observability};
///
/// let guard = Observability::builder().prometheus_port(0).init()?;
/// let log_level = guard.log_level();
/// log_level.set(Level::Debug);
/// log_level.set("info,hyper=off".parse::<obs_runtime::LogFilter>()?);
/// assert!(!log_level.get().enables(Level::Error, "hyper::client"));
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct LogLevelHandle(SharedFilter);

impl LogLevelHandle {
    pub(crate) const fn new(filter: SharedFilter) -> Self {
        Self(filter)
    }

    /// Replaces the filter by a [`Level`](crate::Level) or a [`LogFilter`]. A log file with a level of its own keeps it.
    pub fn set(&self, filter: impl Into<LogFilter>) {
        self.0.set(filter.into());
        global::refresh_interest();
    }

    /// The current filter.
    #[must_use]
    pub fn get(&self) -> LogFilter {
        self.0.get()
    }
}
