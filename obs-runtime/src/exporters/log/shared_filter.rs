//! A log filter that can be replaced at run time.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::base::level::Level;
use crate::config::filter::LogFilter;

/// A log filter. Clones share it.
#[derive(Clone, Debug)]
pub struct SharedFilter(Arc<ArcSwap<LogFilter>>);

impl SharedFilter {
    pub fn new(filter: LogFilter) -> Self {
        Self(Arc::new(ArcSwap::from_pointee(filter)))
    }

    /// Whether lines of this level from this logger are written.
    pub fn enables(&self, level: Level, logger: &str) -> bool {
        self.0.load().enables(level, logger)
    }

    /// The lowest level that is enabled for any logger.
    pub fn least(&self) -> Option<Level> {
        self.0.load().least()
    }

    /// The current filter.
    pub fn get(&self) -> LogFilter {
        LogFilter::clone(&self.0.load())
    }

    /// Replaces the filter.
    pub fn set(&self, filter: LogFilter) {
        self.0.store(Arc::new(filter));
    }
}
