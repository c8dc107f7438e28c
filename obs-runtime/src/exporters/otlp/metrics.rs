//! Sends all metrics by OTLP, at an interval and at each flush.
//!
//! Metrics are read from the cells when they are sent, so nothing is queued: what a server does not accept is part of the next
//! request. An endpoint that does not answer costs no memory.

use std::collections::HashSet;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Metric as MetricMessage, ResourceMetrics, ScopeMetrics,
};
use opentelemetry_proto::tonic::resource::v1::Resource;

use crate::base::clock;
use crate::exporters::deadline_mutex::DeadlineMutex;
use crate::exporters::interface::{Exporter, FlushError, Flushed, StartFlush, a_little_before};
use crate::exporters::otlp::attributes::nanos;
use crate::exporters::otlp::client::OtlpClient;
use crate::exporters::otlp::metric_deltas::DeltaTracker;
use crate::exporters::otlp::metric_messages::{batches, message, split};
use crate::exporters::otlp::metric_points;
use crate::exporters::otlp::metric_points::Metric;
use crate::exporters::otlp::rejection::Rejection;
use crate::exporters::otlp::resource::scope;
use crate::exporters::otlp::user_metrics::{KEEPER, NAME, registry};
use crate::metrics::drop_counters;
use crate::metrics::snapshot::Snapshot;

/// The settings of a [`MetricsExporter`].
pub struct Settings {
    /// Sends the requests.
    pub client: OtlpClient,
    /// The program.
    pub resource: Resource,
    /// Attributes of every point.
    pub constant: Vec<(&'static str, String)>,
    /// How often metrics are sent.
    pub interval: Duration,
    /// The time limit of sending at the interval.
    pub timeout: Duration,
    /// Whether points count from the last one.
    pub delta: bool,
}

/// Reads the current metrics of obs.
pub type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

/// Gets the duration and result of each delivery at the interval.
pub type OnDelivery = Box<dyn Fn(Duration, Result<(), String>) + Send + Sync>;

/// Logs a warning.
pub type Warn = Box<dyn Fn(String) + Send + Sync>;

/// Sends metrics.
pub struct MetricsExporter(Arc<Shared>);

struct Shared {
    settings: Settings,
    source: Source,
    on_delivery: OnDelivery,
    warn: Warn,
    delivery: DeadlineMutex<Delivery>,
    closed: AtomicBool,
    /// Wakes the thread.
    wakeup: (Mutex<()>, Condvar),
}

struct Delivery {
    /// For points that count from the last one.
    deltas: Option<DeltaTracker>,
    /// When the server accepts requests again, after a `Retry-After`, and why it has not accepted the last one.
    not_before: Option<(Instant, String)>,
    /// Names that were warned of.
    conflicts: HashSet<String>,
}

/// When this process began to count, in nanoseconds since 1970.
fn begun() -> u64 {
    static BEGUN: OnceLock<u64> = OnceLock::new();
    *BEGUN.get_or_init(|| nanos(SystemTime::now()))
}

impl MetricsExporter {
    /// An exporter of the metrics of `source` and of the program.
    ///
    /// If its thread cannot be started, it sends at flushes only.
    pub fn new(settings: Settings, source: Source, on_delivery: OnDelivery, warn: Warn) -> Self {
        KEEPER.set_enabled(true);
        let now = begun();
        let delta = settings.delta;
        let shared = Shared {
            settings,
            source,
            on_delivery,
            warn,
            delivery: DeadlineMutex::new(Delivery { deltas: None, not_before: None, conflicts: HashSet::new() }),
            closed: AtomicBool::new(false),
            wakeup: (Mutex::new(()), Condvar::new()),
        };
        if delta {
            let (metrics, _) = shared.measured();
            let deltas = DeltaTracker::starting_from(&metrics, now.max(nanos(SystemTime::now())));
            shared.delivery.with(Instant::now(), |delivery| delivery.deltas = Some(deltas));
        }
        let shared = Arc::new(shared);
        let working = Arc::clone(&shared);
        let thread = thread::Builder::new().name(format!("obs-{NAME}")).spawn(move || working.work());
        if thread.is_err() {
            drop_counters::count(NAME, "no_thread", 1);
        }
        Self(shared)
    }
}

impl Shared {
    /// Sends at the interval until the exporter is closed.
    fn work(&self) {
        while self.sleep() {
            let started = Instant::now();
            let send = || self.deliver(clock::deadline(started, self.settings.timeout));
            match catch_unwind(AssertUnwindSafe(send)) {
                Ok(result) => (self.on_delivery)(started.elapsed(), result),
                Err(_) => drop_counters::count(NAME, "panic", 1),
            }
        }
    }

    /// Sleeps for the interval. Returns false when the exporter is closed.
    fn sleep(&self) -> bool {
        let (mutex, wakeup) = &self.wakeup;
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |(): &mut ()| !self.closed.load(Ordering::SeqCst);
        let interval = self.settings.interval;
        let waited = wakeup.wait_timeout_while(guard, interval, open).unwrap_or_else(PoisonError::into_inner);
        waited.1.timed_out()
    }

    fn measured(&self) -> (Vec<Metric>, Vec<String>) {
        metric_points::metrics((self.source)(), registry(), &self.settings.constant, begun())
    }

    /// Sends the current metrics. Returns why they were not accepted.
    fn deliver(&self, deadline: Instant) -> Result<(), String> {
        let delivered = self.delivery.with(deadline, |delivery| {
            let (metrics, conflicts) = self.measured();
            let new = conflicts.into_iter().find(|name| delivery.conflicts.insert(name.clone()));
            (self.send(metrics, delivery, deadline), new)
        });
        let (result, conflict) = delivered.unwrap_or_else(|| (Err("an earlier request still runs".to_owned()), None));
        if let Some(name) = conflict {
            (self.warn)(format!("{NAME}: the metric {name} has two kinds: OTLP gets the first one only"));
        }
        result
    }

    fn send(&self, metrics: Vec<Metric>, delivery: &mut Delivery, deadline: Instant) -> Result<(), String> {
        if let Some((until, reason)) = &delivery.not_before
            && Instant::now() < *until
        {
            return Err(reason.clone());
        }
        let now = nanos(SystemTime::now());
        let metrics = split(metrics);
        let temporality =
            if self.settings.delta { AggregationTemporality::Delta } else { AggregationTemporality::Cumulative };
        let messages = metrics.iter().enumerate().filter_map(|(index, metric)| {
            let message = match &delivery.deltas {
                Some(deltas) => message(&deltas.growth(metric), temporality, now),
                None => message(metric, temporality, now),
            };
            message.map(|message| (index, message))
        });
        let mut batches = batches(messages.collect());
        batches.reverse();
        let mut refused = None;
        while let Some(mut batch) = batches.pop() {
            match self.request(batch.iter().map(|(_, message)| message.clone()).collect(), deadline) {
                Err(Rejection::TooLarge) if batch.len() > 1 => {
                    batches.push(batch.split_off(batch.len() / 2));
                    batches.push(batch);
                }
                Err(rejection) if rejection.is_retryable() => {
                    let reason = rejection.reason(self.settings.client.url(), "METRICS");
                    let until = rejection.retry_after().map(|wait| clock::deadline(Instant::now(), wait));
                    delivery.not_before = until.map(|until| (until, reason.clone()));
                    return Err(reason);
                }
                result => {
                    delivery.not_before = None;
                    if let (Ok(()) | Err(Rejection::Partial { .. }), Some(deltas)) = (&result, &mut delivery.deltas) {
                        for (index, _) in batch {
                            deltas.mark_sent(&metrics[index], now);
                        }
                    }
                    // The server may accept the other metrics.
                    refused = result.err().or(refused);
                }
            }
        }
        match refused {
            None => Ok(()),
            Some(rejection) => Err(rejection.reason(self.settings.client.url(), "METRICS")),
        }
    }

    fn request(&self, metrics: Vec<MetricMessage>, deadline: Instant) -> Result<(), Rejection> {
        let scope_metrics = vec![ScopeMetrics { scope: Some(scope()), metrics, ..ScopeMetrics::default() }];
        let resource = Some(self.settings.resource.clone());
        let resource_metrics = vec![ResourceMetrics { resource, scope_metrics, ..ResourceMetrics::default() }];
        let request = ExportMetricsServiceRequest { resource_metrics };
        self.settings.client.export(&request, Some(deadline)).inspect_err(|rejection| {
            if let Rejection::Partial { rejected, .. } = rejection {
                drop_counters::count(NAME, "rejected", *rejected);
            }
        })
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        if self.closed.load(Ordering::SeqCst) {
            return Ok(Flushed::Nothing);
        }
        self.deliver(a_little_before(deadline))
            .map(|()| Flushed::Delivered)
            .map_err(|reason| FlushError { sink: NAME, reason })
    }

    fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        KEEPER.set_enabled(false);
        drop(self.wakeup.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.wakeup.1.notify_all();
    }
}

impl Exporter for MetricsExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.0.flush(deadline)
    }

    fn at_start(self: Arc<Self>) -> Option<StartFlush> {
        Some(Box::new(move |deadline| self.0.flush(deadline)))
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &["no_thread", "not_finite", "panic", "rejected"]
    }

    fn close(&self) {
        self.0.close();
    }
}

impl Drop for MetricsExporter {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for MetricsExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("MetricsExporter").field("client", &self.0.settings.client).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporters::otlp::client::tests::client;
    use crate::metrics::catalogue::OPERATION_SUCCESS;
    use crate::metrics::snapshot::SnapshotBuilder;

    #[test]
    fn metrics_that_a_server_refuses_do_not_keep_others_from_it() {
        // Four requests.
        let source = || {
            let mut metrics = SnapshotBuilder::default();
            for series in 0..8000 {
                let labels = vec![("operation".into(), format!("{series:02000}").into())];
                metrics.number(&OPERATION_SUCCESS, labels, 1.0);
            }
            metrics.finish()
        };
        let settings = Settings {
            client: client(vec![(200, ""), (400, "bad name"), (200, ""), (413, "")], None),
            resource: Resource::default(),
            constant: Vec::new(),
            interval: Duration::from_hours(1),
            timeout: Duration::from_mins(1),
            delta: false,
        };
        let exporter = MetricsExporter::new(settings, Box::new(source), Box::new(|_, _| ()), Box::new(|_| ()));
        let failure = Exporter::flush(&exporter, Instant::now() + Duration::from_mins(1)).unwrap_err();
        assert!(failure.reason.contains("too large"), "{failure}");
        // Each answer was given: there is no server any longer.
        let failure = Exporter::flush(&exporter, Instant::now() + Duration::from_mins(1)).unwrap_err();
        assert!(failure.reason.contains("cannot be reached"), "{failure}");
    }
}
