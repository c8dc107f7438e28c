//! Turns events into series. It sends nothing anywhere: exporters read its [`snapshot`](MetricAggregator::snapshot).
//!
//! Calls are counted by their call sites' own cells, which a snapshot adds; a sink made for a test counts them by itself,
//! so that it sees its own calls only.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Instant, UNIX_EPOCH};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::aggregation::calls::{add_callsite, labels};
use crate::exporters::aggregation::event_recorder::EventRecorder;
use crate::exporters::aggregation::store::Store;
use crate::exporters::interface::{Exporter, FlushError, Topic};
use crate::metrics::catalogue as family;
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::metrics::registry;
use crate::metrics::snapshot::{Snapshot, SnapshotBuilder};
use crate::redact::redactor::Redacted;

/// Counts and measures what events tell.
pub struct MetricAggregator {
    counts_calls: bool,
    store: Store,
    /// The sinks whose queues are measured.
    watched: OnceLock<Vec<Weak<dyn Exporter>>>,
}

impl MetricAggregator {
    /// For the whole program: calls are counted by their call sites.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        Self { counts_calls: false, store: Store::new(max_series), watched: OnceLock::new() }
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
        let mut snapshot = SnapshotBuilder::default();
        if !self.counts_calls {
            let mut callsites = registry::callsites();
            // Series come sorted then.
            callsites.sort_by_key(|callsite| callsite.name());
            for callsite in callsites {
                callsite
                    .for_each_total(|tags, totals, cells| add_callsite(&mut snapshot, callsite, tags, totals, cells));
            }
            self.add_own(&mut snapshot);
        }
        self.store.add_to(&mut snapshot);
        snapshot.finish()
    }

    /// Measures the queues of these sinks from now on, for as long as they live.
    pub fn watch(&self, sinks: &[Arc<dyn Exporter>]) {
        self.watched.get_or_init(|| sinks.iter().map(Arc::downgrade).collect());
    }

    /// What obs measures of itself.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn add_own(&self, snapshot: &mut SnapshotBuilder) {
        for (sink, reason, number) in drop_counters::all() {
            snapshot.number(&family::OBS_DROPPED, labels(&[("sink", sink), ("reason", reason)]), number as f64);
        }
        for (sink, deliveries) in delivery_stats::all() {
            let by_sink = || labels(&[("sink", sink)]);
            let (buckets, seconds) = (&deliveries.buckets, deliveries.seconds);
            snapshot.histogram(&family::OBS_FLUSH_DURATION_SECONDS, by_sink(), buckets, seconds);
            let last_success = deliveries.last_success.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            if let Some(time) = last_success {
                snapshot.number(&family::OBS_LAST_SUCCESS_TIMESTAMP_SECONDS, by_sink(), time.as_secs_f64());
            }
        }
        for sink in self.watched.get().into_iter().flatten().filter_map(Weak::upgrade) {
            snapshot.number(&family::OBS_QUEUE_LENGTH, labels(&[("sink", sink.name())]), sink.queued() as f64);
        }
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

impl fmt::Debug for MetricAggregator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fields = (&self.counts_calls, &self.store);
        formatter
            .debug_struct("MetricAggregator")
            .field("counts_calls", fields.0)
            .field("store", fields.1)
            .finish_non_exhaustive()
    }
}

impl Exporter for MetricAggregator {
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
        EventRecorder { store: &self.store, counts_calls: self.counts_calls, tags: &event.tags }.fact(event);
    }

    fn flush(&self, _: Instant) -> Result<(), FlushError> {
        Ok(())
    }
}
