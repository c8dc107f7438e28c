//! Which lines are written, changed while the program runs.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::base::level::Level;
use crate::config::filter::LogFilter;

/// A filter that several share, and that can be another one from one line to the next.
#[derive(Clone, Debug)]
pub struct SharedFilter(Arc<ArcSwap<LogFilter>>);

impl SharedFilter {
    pub fn new(filter: LogFilter) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(filter)))
    }

    /// Whether a line of that level by that logger is written.
    pub fn enables(&self, level: Level, logger: &str) -> bool {
        self.0.load().enables(level, logger)
    }

    /// The least level that any logger may write at.
    pub fn least(&self) -> Option<Level> {
        self.0.load().least()
    }

    /// The filter of this moment.
    pub fn get(&self) -> LogFilter {
        LogFilter::clone(&self.0.load())
    }

    /// Another filter from now on.
    pub fn set(&self, filter: LogFilter) {
        self.0.store(Arc::new(filter));
    }
}
