//! Turns events into series. It sends nothing anywhere: exporters read its [`snapshot`](MetricsSink::snapshot).
//!
//! Calls are counted by their call sites' own cells, which a snapshot adds; a sink made for a test counts them by itself,
//! so that it sees its own calls only.

mod calls;
mod recording;
mod store;

use std::borrow::Cow;
use std::time::Instant;

use crate::catalogue as family;
use crate::drops;
use crate::event::Event;
use crate::level::Level;
use crate::redact::Redacted;
use crate::registry;
use crate::sinks::{FlushError, Sink, Topic};
use crate::snapshot::{Builder, Snapshot};
use calls::{add_callsite, labels};
use recording::Recording;
use store::Store;

/// Counts and measures what events tell.
#[derive(Debug)]
pub struct MetricsSink {
    counts_calls: bool,
    store: Store,
}

impl MetricsSink {
    /// For the whole program: calls are counted by their call sites.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self { counts_calls: false, store: Store::new(max_series) }
    }

    /// For a test: only what is sent here is counted.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn scoped(max_series: usize) -> Self {
        Self { counts_calls: true, ..Self::new(max_series) }
    }

    /// All series of this moment. Recording threads never wait for it longer than it takes to copy the rare families.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = Builder::default();
        if !self.counts_calls {
            for callsite in registry::callsites() {
                for (tags, totals) in callsite.totals() {
                    let tags = tags.into_iter().map(|(name, value)| (Cow::Borrowed(name), value)).collect();
                    add_callsite(&mut snapshot, callsite, &tags, &totals);
                }
            }
            for (sink, reason, number) in drops::all() {
                let labels = labels(&[("sink", sink), ("reason", reason)]);
                #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
                snapshot.number(&family::OBS_DROPPED, labels, number as f64);
            }
        }
        self.store.add_to(&mut snapshot);
        snapshot.finish()
    }

    /// Whether the limit of series was passed and nobody was told yet; true once.
    pub fn take_overflow(&self) -> bool {
        self.store.take_overflow()
    }

    /// Says that a limit of series was passed elsewhere.
    pub fn overflow(&self) {
        self.store.overflow();
    }
}

impl Sink for MetricsSink {
    fn name(&self) -> &'static str {
        "metrics"
    }

    fn wants(&self, topic: Topic, _: Level, _: &str) -> bool {
        topic == Topic::Fact || (topic == Topic::Call && self.counts_calls)
    }

    fn least_level(&self) -> Option<Level> {
        self.counts_calls.then_some(Level::Trace)
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        Recording { store: &self.store, counts_calls: self.counts_calls, tags: &event.tags }.fact(event);
    }

    fn flush(&self, _: Instant) -> Result<(), FlushError> {
        Ok(())
    }
}
