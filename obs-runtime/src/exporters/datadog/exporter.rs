//! Sends metrics to a Datadog agent over UDP or a UNIX socket, health checks as service checks, and, if enabled, failed
//! commands as events.
//!
//! Metrics are aggregated: a thread reads them at an interval, and each flush too, and sends the difference to the last
//! delivery: the growth of counters, the values of gauges, histograms as distributions (see `distribution` for their
//! accuracy). A million calls are a few lines.
//!
//! A failed delivery is retried with the next one, so that a restarted agent misses nothing. After a minute of failures the
//! data is dropped and counted as `obs.dropped{sink="datadog",reason="unreachable"}`.

#[cfg(test)]
mod tests;

use crate::base::clock;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::level::Level;
use crate::config::agent_address::AgentAddress;
use crate::events::event::Event;
use crate::exporters::datadog::delivery::{Delivery, DeliveryError, MAX_MESSAGES};
use crate::exporters::datadog::delta_tracker;
use crate::exporters::datadog::delta_tracker::DeltaTracker;
use crate::exporters::datadog::events_and_service_checks::{Message, Sender};
use crate::exporters::datadog::lines::Writer;
use crate::exporters::datadog::measurements::Measurements;
use crate::exporters::datadog::names::{self, EXPORTER, UnifiedTags};
use crate::exporters::datadog::origin;
use crate::exporters::datadog::transport::Transport;
use crate::exporters::datadog::user_metrics::{KEEPER, registry};
use crate::exporters::deadline_mutex::DeadlineMutex;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic};
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::metrics::recent_calls;
use crate::metrics::snapshot::Snapshot;
use crate::redact::redactor::Redacted;

/// The shortest interval between deliveries. Zero would keep a core busy.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// The timeout of a delivery by the background thread.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(2);

/// The settings of a [`DatadogExporter`].
pub struct Settings {
    /// The agent's address.
    pub agent: AgentAddress,
    /// How often metrics are sent.
    pub interval: Duration,
    /// Tags of everything that is sent.
    pub tags: UnifiedTags,
    /// The origin of the metrics, for the agent: `DD_ENTITY_ID`. `none` disables origin detection.
    pub entity_id: Option<String>,
    /// Whether health checks are sent as service checks.
    pub service_checks: bool,
    /// Whether failed commands are sent as events.
    pub command_events: bool,
    /// Whether metrics are enabled.
    pub metrics: bool,
}

/// Reads the current metrics.
pub type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

/// Logs a warning.
pub type Warn = Box<dyn Fn(String) + Send + Sync>;

/// Sends to a Datadog agent.
pub struct DatadogExporter(Arc<Shared>);

/// The state that the exporter shares with its thread.
struct Shared {
    source: Source,
    warn: Warn,
    sender: Sender,
    service_checks: bool,
    command_events: bool,
    /// Service checks and events that no delivery has taken yet.
    new_messages: Mutex<VecDeque<String>>,
    delivery: DeadlineMutex<Delivery>,
    /// Whether a flush waits for the current delivery.
    urgent: AtomicBool,
    closed: AtomicBool,
    /// Wakes the thread.
    wakeup: (Mutex<()>, Condvar),
}

impl DatadogExporter {
    /// An exporter that sends how the values of `source` change from now on.
    ///
    /// If its thread cannot be started, it sends at flushes only.
    #[must_use]
    pub fn new(settings: Settings, source: Source, warn: Warn) -> Self {
        let Settings { agent, interval, tags, entity_id, service_checks, command_events, metrics } = settings;
        let no_origin = entity_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case("none"));
        let entity_id = entity_id.filter(|_| !no_origin);
        let constant = names::constant_tags(&tags, entity_id.as_deref().map(|id| ("dd.internal.entity_id", id)));
        let sender =
            Sender { constant, container: if no_origin || entity_id.is_some() { None } else { origin::container() } };
        if metrics {
            recent_calls::enable();
        }
        let mut tracker = DeltaTracker::new(sender.constant.clone());
        KEEPER.set_enabled(metrics);
        tracker.start_from(&Measurements { snapshot: source(), users: registry().series() });
        let delivery = Delivery {
            tracker,
            writer: Writer::new(&sender),
            transport: Transport::new(agent),
            messages: VecDeque::new(),
            failing_since: None,
        };
        let shared = Arc::new(Shared {
            source,
            warn,
            sender,
            service_checks,
            command_events,
            new_messages: Mutex::default(),
            delivery: DeadlineMutex::new(delivery),
            urgent: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            wakeup: (Mutex::new(()), Condvar::new()),
        });
        let working = Arc::clone(&shared);
        let thread = thread::Builder::new().name("obs-datadog".to_owned()).spawn(move || working.work(interval));
        if thread.is_err() {
            drop_counters::count(EXPORTER, "no_thread", 1);
        }
        Self(shared)
    }
}

impl Shared {
    /// Delivers at the interval until the exporter is closed.
    fn work(&self, interval: Duration) {
        let mut warned = false;
        while self.sleep(interval.max(MIN_INTERVAL)) {
            let begun = Instant::now();
            let interrupted = || self.urgent.load(Ordering::SeqCst) || self.closed.load(Ordering::SeqCst);
            let delivered = catch_unwind(AssertUnwindSafe(|| {
                self.deliver(clock::deadline(begun, BACKGROUND_TIMEOUT), &interrupted)
            }));
            let result = match delivered {
                // The flush that interrupted it delivers instead.
                Ok(Err(DeliveryError { interrupted: true, .. })) => continue,
                Ok(result) => result.map_err(|error| error.to_string()),
                Err(_) => {
                    drop_counters::count(EXPORTER, "panic", 1);
                    continue;
                }
            };
            if let Err(reason) = &result
                && !warned
            {
                (self.warn)(format!("datadog: {reason}"));
            }
            warned = result.is_err();
            delivery_stats::record(EXPORTER, begun.elapsed(), result);
        }
    }

    /// Sleeps for the interval. Returns false when the exporter is closed.
    fn sleep(&self, interval: Duration) -> bool {
        let (mutex, wakeup) = &self.wakeup;
        let guard = mutex.lock().unwrap_or_else(PoisonError::into_inner);
        let open = |(): &mut ()| !self.closed.load(Ordering::SeqCst);
        let waited = wakeup.wait_timeout_while(guard, interval, open).unwrap_or_else(PoisonError::into_inner);
        waited.1.timed_out()
    }

    fn deliver(&self, deadline: Instant, interrupted: &dyn Fn() -> bool) -> Result<(), DeliveryError> {
        let delivered = self.delivery.with(deadline, |delivery| {
            self.take_messages(delivery);
            let result = delivery.deliver(&self.measured(), deadline, interrupted);
            (result, delivery.tracker.take_conflicts())
        });
        let (result, conflicts) = delivered.unwrap_or_else(|| (Err(DeliveryError::busy()), Vec::new()));
        if let Some(warning) = delta_tracker::conflict_warning(&conflicts) {
            (self.warn)(warning);
        }
        result
    }

    fn measured(&self) -> Measurements {
        Measurements { snapshot: (self.source)(), users: registry().series() }
    }

    fn take_messages(&self, delivery: &mut Delivery) {
        let new = std::mem::take(&mut *self.new_messages.lock().unwrap_or_else(PoisonError::into_inner));
        delivery.messages.extend(new);
        let over = delivery.messages.len().saturating_sub(MAX_MESSAGES);
        if over > 0 {
            delivery.messages.drain(..over);
            drop_counters::count(EXPORTER, "queue_full", over as u64);
        }
    }

    fn enqueue(&self, message: String) {
        let mut messages = self.new_messages.lock().unwrap_or_else(PoisonError::into_inner);
        if messages.len() < MAX_MESSAGES {
            messages.push_back(message);
        } else {
            drop(messages);
            drop_counters::count(EXPORTER, "queue_full", 1);
        }
    }

    fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        KEEPER.set_enabled(false);
        drop(self.wakeup.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.wakeup.1.notify_all();
        // Does not wait for a delivery in progress, which sees `closed`.
        self.delivery.with(Instant::now(), |delivery| {
            self.take_messages(delivery);
            delivery.end(&self.measured());
        });
    }
}

impl Exporter for DatadogExporter {
    fn name(&self) -> &'static str {
        EXPORTER
    }

    fn wants(&self, topic: Topic, _: Level, _: &str) -> bool {
        topic == Topic::Fact
    }

    fn least_level(&self) -> Option<Level> {
        None
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let Self(shared) = self;
        let message = Message::of(&shared.sender.constant, event, shared.service_checks, shared.command_events);
        match message {
            Some(Message::Check(check)) => shared.enqueue(shared.sender.service_check(&check)),
            Some(Message::Event(event)) => shared.enqueue(shared.sender.command_failed(&event)),
            None => {}
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        let Self(shared) = self;
        if shared.closed.load(Ordering::SeqCst) {
            return Ok(Flushed::Nothing);
        }
        shared.urgent.store(true, Ordering::SeqCst);
        let result = shared.deliver(deadline, &|| false);
        shared.urgent.store(false, Ordering::SeqCst);
        let failed = |error: DeliveryError| FlushError { sink: EXPORTER, reason: error.to_string() };
        result.map(|()| Flushed::Delivered).map_err(failed)
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &["no_thread", "not_finite", "panic", "queue_full", "refused", "too_long", "unreachable"]
    }

    fn queued(&self) -> usize {
        self.0.new_messages.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    fn close(&self) {
        self.0.close();
    }
}

impl Drop for DatadogExporter {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for DatadogExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("DatadogExporter").field("sender", &self.0.sender).finish_non_exhaustive()
    }
}
