//! A log filter that can be replaced at run time.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::base::level::Level;
use crate::config::filter::LogFilter;
use crate::events::log_span;

/// A log filter. Clones share it.
#[derive(Clone, Debug)]
pub struct SharedFilter(Arc<ArcSwap<LogFilter>>);

impl SharedFilter {
    pub fn new(filter: LogFilter) -> Self {
        log_span::note_filter(!filter.spans.is_empty());
        Self(Arc::new(ArcSwap::from_pointee(filter)))
    }

    /// Whether lines of this level from this logger are written here: the filter may depend on the spans of `tracing`.
    pub fn enables(&self, level: Level, logger: &str) -> bool {
        let filter = self.0.load();
        if filter.spans.is_empty() {
            return filter.enables(level, logger);
        }
        filter.enables_in(level, logger, log_span::current().as_deref())
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
        log_span::note_filter(!filter.spans.is_empty());
        self.0.store(Arc::new(filter));
    }
}
