//! Aggregates events into series. Metric exporters read its [`snapshot`](MetricAggregator::snapshot).
//!
//! Call sites count calls in their own cells, which a snapshot adds. An aggregator for a test counts the calls itself, so
//! that it contains only the test's calls.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock, Weak};
use std::time::{Instant, UNIX_EPOCH};

use crate::base::level::Level;
use crate::events::event::Event;
use crate::exporters::aggregation::calls::{add_callsite, labels};
use crate::exporters::aggregation::event_recorder::EventRecorder;
use crate::exporters::aggregation::series_store::SeriesStore;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic};
use crate::metrics::catalogue as family;
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::metrics::registry;
use crate::metrics::snapshot::{Snapshot, SnapshotBuilder};
use crate::redact::redactor::Redacted;

/// Adds series to a snapshot that are known without any event.
pub type SeriesSource = Box<dyn Fn(&mut SnapshotBuilder) + Send + Sync>;

/// The series of a pipeline.
pub struct MetricAggregator {
    counts_calls: bool,
    store: SeriesStore,
    sources: Vec<SeriesSource>,
    /// The exporters whose queue lengths and losses are measured.
    watched: OnceLock<Vec<Weak<dyn Exporter>>>,
}

impl MetricAggregator {
    /// An aggregator for the program, whose call sites count the calls.
    #[must_use]
    pub fn new(max_series: usize) -> Self {
        let store = SeriesStore::new(max_series);
        Self { counts_calls: false, store, sources: Vec::new(), watched: OnceLock::new() }
    }

    /// Adds the series of these sources to every snapshot.
    #[must_use]
    pub fn with_sources(self, sources: Vec<SeriesSource>) -> Self {
        Self { sources, ..self }
    }

    /// An aggregator for a test, which counts only the events that it receives.
    #[cfg(feature = "testing")]
    #[must_use]
    pub fn scoped(max_series: usize) -> Self {
        Self { counts_calls: true, ..Self::new(max_series) }
    }

    /// All current series. Takes the lock of series from rare events while it copies these; calls do not wait for it.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let mut snapshot = SnapshotBuilder::default();
        if !self.counts_calls {
            let mut callsites = registry::callsites();
            // So that series come sorted.
            callsites.sort_by_key(|callsite| callsite.name());
            for callsite in callsites {
                callsite
                    .for_each_total(|tags, totals, cells| add_callsite(&mut snapshot, callsite, tags, totals, cells));
            }
            self.sources.iter().for_each(|add| add(&mut snapshot));
            self.add_own(&mut snapshot);
        }
        self.store.add_to(&mut snapshot);
        snapshot.finish()
    }

    /// Measures the queue lengths and losses of these exporters while they live.
    pub fn watch(&self, exporters: &[Arc<dyn Exporter>]) {
        self.watched.get_or_init(|| exporters.iter().map(Arc::downgrade).collect());
    }

    /// Adds the metrics of obs itself.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^52")]
    fn add_own(&self, snapshot: &mut SnapshotBuilder) {
        let mut dropped: BTreeMap<_, _> =
            drop_counters::all().into_iter().map(|(sink, reason, number)| ((sink, reason), number)).collect();
        // The first time a metric is over its limit counts without its name, as a step of a counter that was there before.
        let over_limit = dropped.entry(("metrics", "cardinality")).or_default();
        for (metric, number) in self.store.repeated_overflows() {
            *over_limit = over_limit.saturating_sub(number);
            let labels = labels(&[("sink", "metrics"), ("reason", "cardinality"), ("metric", &metric)]);
            snapshot.number(&family::OBS_DROPPED, labels, number as f64);
        }
        for ((sink, reason), number) in dropped {
            snapshot.number(&family::OBS_DROPPED, labels(&[("sink", sink), ("reason", reason)]), number as f64);
        }
        for (sink, deliveries) in delivery_stats::all() {
            let by_sink = || labels(&[("sink", sink)]);
            snapshot.number(&family::OBS_FLUSH_FAILED, by_sink(), deliveries.failed as f64);
            for (family, duration) in [
                (&family::OBS_FLUSH_LAST_DURATION_SECONDS, deliveries.last_duration),
                (&family::OBS_FLUSH_MAX_DURATION_SECONDS, deliveries.max_duration),
            ] {
                snapshot.number(family, by_sink(), duration.as_secs_f64());
            }
            let last_success = deliveries.last_success.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
            if let Some(time) = last_success {
                snapshot.number(&family::OBS_LAST_SUCCESS_TIMESTAMP_SECONDS, by_sink(), time.as_secs_f64());
            }
        }
        for exporter in self.watched.get().into_iter().flatten().filter_map(Weak::upgrade) {
            let by_sink = || labels(&[("sink", exporter.name())]);
            snapshot.number(&family::OBS_QUEUE_LENGTH, by_sink(), exporter.queued() as f64);
            snapshot.number(&family::OBS_FLUSH_FAILED, by_sink(), 0.0);
            for reason in exporter.drop_reasons() {
                let labels = labels(&[("sink", exporter.name()), ("reason", reason)]);
                snapshot.number(&family::OBS_DROPPED, labels, 0.0);
            }
        }
    }

    /// The metrics that have reached their limit of series. Each is returned once.
    pub fn take_overflows(&self) -> Vec<String> {
        self.store.take_overflows()
    }

    /// All metrics that have reached their limit of series, sorted.
    pub fn overflows(&self) -> Vec<String> {
        self.store.overflows()
    }

    /// Notes that a metric counted elsewhere has reached its limit of series.
    pub fn overflow(&self, metric: &str) {
        self.store.overflow(metric);
    }
}

impl fmt::Debug for MetricAggregator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = formatter.debug_struct("MetricAggregator");
        debug.field("counts_calls", &self.counts_calls).field("store", &self.store).finish_non_exhaustive()
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
        EventRecorder { store: &self.store, counts_calls: self.counts_calls, tags: &event.tags }.record_event(event);
    }

    fn flush(&self, _: Instant) -> Result<Flushed, FlushError> {
        Ok(Flushed::Nothing)
    }
}
