//! The filter of the `tracing` layer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tracing_core::subscriber::Interest;
use tracing_core::{LevelFilter, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::base::level::Level;
use crate::events::log_span;

/// A per-layer filter by level and target.
///
/// A disabled event costs its call site one comparison: `tracing` caches the answer for a call site while the answers are
/// the same on all threads, and otherwise rejects what is below the lowest level. The caller calls
/// `tracing_core::callsite::rebuild_interest_cache` after the answers have changed.
pub struct ObsFilter {
    enabled: Box<Enabled>,
    least: Box<Least>,
    cacheable: Box<dyn Fn() -> bool + Send + Sync>,
    unless_added: Option<(Arc<AtomicBool>, fn())>,
}

type Enabled = dyn Fn(Level, &str) -> bool + Send + Sync;
type Least = dyn Fn() -> Option<Level> + Send + Sync;

impl ObsFilter {
    /// A filter that passes what is `enabled` by level and target; `least` is the lowest level that may be enabled, `None`
    /// for none.
    pub fn new(
        enabled: impl Fn(Level, &str) -> bool + Send + Sync + 'static,
        least: impl Fn() -> Option<Level> + Send + Sync + 'static,
    ) -> Self {
        Self { enabled: Box::new(enabled), least: Box::new(least), cacheable: Box::new(|| false), unless_added: None }
    }

    /// Lets `tracing` cache answers while `cacheable` returns true: `enabled` then answers the same on every thread.
    #[must_use]
    pub fn cacheable_while(self, cacheable: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { cacheable: Box::new(cacheable), ..self }
    }

    /// Calls `warn` when the filter is asked although its layer was not added to a subscriber, which only `reload::Layer` does.
    #[must_use]
    pub fn warns_unless_added(self, is_added: Arc<AtomicBool>, warn: fn()) -> Self {
        Self { unless_added: Some((is_added, warn)), ..self }
    }

    fn may_enable(&self, metadata: &Metadata<'_>) -> bool {
        (self.least)().is_some_and(|least| Level::from_tracing(*metadata.level()) >= nearest(least))
    }
}

/// Whether it is a span that a filter may ask for.
fn is_kept_span(metadata: &Metadata<'_>) -> bool {
    metadata.is_span() && log_span::is_filtered_by_span()
}

/// The nearest level that `tracing` has.
fn nearest(level: Level) -> Level {
    Level::from_tracing(level.to_tracing())
}

impl<S> Filter<S> for ObsFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.may_enable(metadata)
            && (is_kept_span(metadata) || (self.enabled)(Level::from_tracing(*metadata.level()), metadata.target()))
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if let Some((is_added, warn)) = &self.unless_added
            && !is_added.load(Ordering::Relaxed)
        {
            warn();
        }
        if !self.may_enable(metadata) {
            Interest::never()
        } else if !(self.cacheable)() || log_span::is_filtered_by_span() {
            Interest::sometimes()
        } else if (self.enabled)(Level::from_tracing(*metadata.level()), metadata.target()) {
            Interest::always()
        } else {
            Interest::never()
        }
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some((self.least)().map_or(LevelFilter::OFF, |least| LevelFilter::from_level(least.to_tracing())))
    }
}

impl fmt::Debug for ObsFilter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ObsFilter").finish_non_exhaustive()
    }
}
