//! Which events the layer gets.

use std::fmt;

use tracing_core::subscriber::Interest;
use tracing_core::{LevelFilter, Metadata};
use tracing_subscriber::layer::{Context, Filter};

use crate::base::level::Level;

/// A filter of one layer. It says once of each call site what it wants of it, as long as that is settled; until then it
/// says at once that nobody wants what is below the least level. Either way such events cost their call sites one
/// comparison. After any of this has changed, `tracing_core::callsite::rebuild_interest_cache` is to be called.
pub struct ObsFilter {
    enabled: Box<Enabled>,
    least: Box<Least>,
    settled: Box<dyn Fn() -> bool + Send + Sync>,
}

type Enabled = dyn Fn(Level, &str) -> bool + Send + Sync;
type Least = dyn Fn() -> Option<Level> + Send + Sync;

impl ObsFilter {
    /// A filter that lets through what is `enabled` by level and target; `least` is the least level at which anything
    /// may be, `None` for never.
    pub fn new(
        enabled: impl Fn(Level, &str) -> bool + Send + Sync + 'static,
        least: impl Fn() -> Option<Level> + Send + Sync + 'static,
    ) -> Self {
        Self { enabled: Box::new(enabled), least: Box::new(least), settled: Box::new(|| false) }
    }

    /// While `settled` holds, what is enabled is so for every event of a call site, on every thread.
    #[must_use]
    pub fn settled_while(self, settled: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { settled: Box::new(settled), ..self }
    }

    fn may_enable(&self, metadata: &Metadata<'_>) -> bool {
        (self.least)().is_some_and(|least| Level::from(*metadata.level()) >= nearest(least))
    }
}

/// The level as an event of `tracing` can have it.
fn nearest(level: Level) -> Level {
    Level::from(level.to_tracing())
}

impl<S> Filter<S> for ObsFilter {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        self.may_enable(metadata) && (self.enabled)(Level::from(*metadata.level()), metadata.target())
    }

    fn callsite_enabled(&self, metadata: &'static Metadata<'static>) -> Interest {
        if !self.may_enable(metadata) {
            Interest::never()
        } else if !(self.settled)() {
            Interest::sometimes()
        } else if (self.enabled)(Level::from(*metadata.level()), metadata.target()) {
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
