//! Sends to Datadog's API what an agent would get: metrics, aggregated at an interval and at each flush, health checks as service
//! checks and, if enabled, failed commands as events.
//!
//! What was measured becomes requests with the time of its measurement, which wait in a bounded queue until they are accepted: a
//! request that is repeated replaces the points that it has sent before. Datadog keeps one point of a counter for each second, so no
//! two deliveries have the same second.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::base::clock;
use crate::base::level::Level;
use crate::events::event::Event;
use crate::events::panics::caught;
use crate::exporters::datadog::agentless::client::ApiClient;
use crate::exporters::datadog::agentless::collector::{Collector, MAX_AHEAD, MAX_AHEAD_AT_END};
use crate::exporters::datadog::agentless::packing;
use crate::exporters::datadog::agentless::points::Common;
use crate::exporters::datadog::agentless::queue::Queue;
use crate::exporters::datadog::agentless::rejection::Rejection;
use crate::exporters::datadog::delta_tracker::DeltaTracker;
use crate::exporters::datadog::events_and_service_checks::Message;
use crate::exporters::datadog::measurements::Measurements;
use crate::exporters::datadog::names::EXPORTER;
use crate::exporters::datadog::user_metrics::{KEEPER, registry};
use crate::exporters::deadline_mutex::DeadlineMutex;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic, no_answer_within};
use crate::metrics::drop_counters;
use crate::metrics::recent_calls;
use crate::metrics::snapshot::Snapshot;
use crate::redact::redactor::Redacted;

/// The shortest interval between deliveries. Zero would keep a core busy.
const MIN_INTERVAL: Duration = Duration::from_millis(10);

/// The time limits of a delivery at the interval, and of each of its requests.
const BACKGROUND_TIMEOUT: Duration = Duration::from_secs(30);
const REQUEST_TIMEOUT: Duration = Duration::from_secs(10);

/// How often a flush tries the same request.
const FLUSH_ATTEMPTS: u32 = 3;

/// The delay before a flush repeats a request for the first time. It doubles each time.
const FIRST_DELAY: Duration = Duration::from_millis(100);

/// What a flush leaves of its time, so that it ends before its deadline and says why it failed.
const MARGIN: Duration = Duration::from_millis(50);

/// The most service checks and events that wait to become requests.
const MAX_MESSAGES: usize = 1000;

/// The settings of an [`ApiExporter`].
#[derive(Debug)]
pub struct Settings {
    /// Sends the requests.
    pub client: ApiClient,
    /// Tags and host of everything that is sent.
    pub common: Common,
    /// How often metrics are sent.
    pub interval: Duration,
    /// Whether health checks are sent as service checks.
    pub service_checks: bool,
    /// Whether failed commands are sent as events.
    pub command_events: bool,
    /// Whether metrics are enabled.
    pub metrics: bool,
}

/// Reads the current metrics.
pub type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

/// Gets the duration and result of each delivery at the interval.
pub type OnDelivery = Box<dyn Fn(Duration, Result<(), String>) + Send + Sync>;

/// Logs a warning.
pub type Warn = Box<dyn Fn(String) + Send + Sync>;

/// Sends to Datadog's API.
pub struct ApiExporter(Arc<Shared>);

/// The state that the exporter shares with its thread.
struct Shared {
    settings: Settings,
    source: Source,
    on_delivery: OnDelivery,
    warn: Warn,
    /// Service checks and events that are not in the queue yet.
    messages: Mutex<Vec<Message>>,
    collector: Mutex<Collector>,
    queue: Mutex<Queue>,
    /// Held while requests are sent, in their order.
    sending: DeadlineMutex<()>,
    closed: AtomicBool,
    /// Wakes the thread.
    wakeup: (Mutex<()>, Condvar),
}

/// How long a failing request is tried.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patience {
    /// Once: the next delivery tries again.
    Once,
    /// A few times until the deadline.
    UntilDeadline,
}

impl ApiExporter {
    /// An exporter that sends how the values of `source` change from now on.
    ///
    /// If its thread cannot be started, it sends at flushes only.
    pub fn new(settings: Settings, source: Source, on_delivery: OnDelivery, warn: Warn) -> Self {
        if settings.metrics {
            recent_calls::enable();
        }
        KEEPER.set_enabled(settings.metrics);
        let mut tracker = DeltaTracker::new(settings.common.tags.clone());
        tracker.start_from(&Measurements { snapshot: source(), users: registry().series() });
        let interval = settings.interval.max(MIN_INTERVAL);
        let shared = Arc::new(Shared {
            settings,
            source,
            on_delivery,
            warn,
            messages: Mutex::default(),
            collector: Mutex::new(Collector::new(tracker)),
            queue: Mutex::default(),
            sending: DeadlineMutex::new(()),
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
        while self.sleep(interval) {
            let begun = Instant::now();
            let delivered = caught(|| {
                self.collect(MAX_AHEAD);
                self.send(clock::deadline(begun, BACKGROUND_TIMEOUT), Patience::Once)
            });
            match delivered {
                Ok(Ok(Flushed::Nothing)) => {}
                Ok(result) => (self.on_delivery)(begun.elapsed(), result.map(|_| ())),
                Err(_) => drop_counters::count(EXPORTER, "panic", 1),
            }
        }
    }

    /// Sleeps for the interval. Returns false when the exporter is closed.
    fn sleep(&self, interval: Duration) -> bool {
        let (mutex, wakeup) = &self.wakeup;
        let open = |(): &mut ()| !self.closed.load(Ordering::SeqCst);
        let waited = wakeup.wait_timeout_while(locked(mutex), interval, open);
        waited.unwrap_or_else(PoisonError::into_inner).1.timed_out()
    }

    /// Puts into the queue what has changed. Changes wait for the next time if their second were more than `ahead` of now.
    fn collect(&self, ahead: u64) {
        let messages = std::mem::take(&mut *locked(&self.messages));
        let mut payloads = packing::messages(messages);
        let mut collector = locked(&self.collector);
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if let Some(at) = collector.next_second(now, ahead) {
            let measured = Measurements { snapshot: (self.source)(), users: registry().series() };
            payloads.extend(packing::points(collector.points(&measured, at), &self.settings.common, at));
        }
        let warning = collector.take_warning();
        // Requests of two deliveries must not change places.
        locked(&self.queue).push(payloads);
        drop(collector);
        warning.into_iter().for_each(&self.warn);
    }

    /// Sends what waits, until the deadline.
    fn send(&self, deadline: Instant, patience: Patience) -> Result<Flushed, String> {
        let limit = deadline.saturating_duration_since(Instant::now());
        let sent = self.sending.with(deadline, |()| self.send_all(deadline, patience));
        // Another delivery took all the time.
        sent.unwrap_or_else(|| Err(self.no_answer(limit)))
    }

    fn send_all(&self, deadline: Instant, patience: Patience) -> Result<Flushed, String> {
        let limit = deadline.saturating_duration_since(Instant::now());
        let client = &self.settings.client;
        let mut flushed = Flushed::Nothing;
        let mut refused = None;
        let mut attempts = 0;
        loop {
            let not_before = locked(&self.queue).not_before();
            if let Some((until, rejection)) = not_before
                && !wait(until, deadline, patience)
            {
                return Err(rejection.reason(client.url()));
            }
            let Some(pending) = locked(&self.queue).take() else { break };
            let rest = deadline.saturating_duration_since(Instant::now());
            let sent = caught(|| client.send(&pending.payload, &self.settings.common, rest.min(REQUEST_TIMEOUT)));
            let rejection = match sent.unwrap_or_else(|_| Err(Rejection::Network("the client panicked".to_owned()))) {
                Ok(()) => {
                    locked(&self.queue).accepted();
                    (flushed, attempts) = (Flushed::Delivered, 0);
                    continue;
                }
                Err(rejection) => rejection,
            };
            let is_dropped = locked(&self.queue).rejected(pending, &rejection);
            if !rejection.is_retryable() {
                if is_dropped {
                    refused.get_or_insert(rejection);
                }
                continue;
            }
            attempts += 1;
            let delay = FIRST_DELAY.saturating_mul(1 << (attempts - 1).min(8));
            let until = clock::deadline(Instant::now(), rejection.retry_after().unwrap_or(delay));
            if attempts >= FLUSH_ATTEMPTS || !wait(until, deadline, patience) {
                let is_late = Instant::now() >= deadline;
                return Err(if is_late { self.no_answer(limit) } else { rejection.reason(client.url()) });
            }
        }
        refused.map_or(Ok(flushed), |rejection| Err(rejection.reason(client.url())))
    }

    fn no_answer(&self, limit: Duration) -> String {
        format!("{}: {}", self.settings.client.url(), no_answer_within(limit))
    }

    fn flush(&self, deadline: Instant, ahead: u64) -> Result<Flushed, FlushError> {
        self.collect(ahead);
        let result = self.send(shortly_before(deadline), Patience::UntilDeadline);
        result.map_err(|reason| FlushError { sink: EXPORTER, reason })
    }

    fn enqueue(&self, message: Message) {
        let mut messages = locked(&self.messages);
        if messages.len() < MAX_MESSAGES {
            messages.push(message);
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
        drop(locked(&self.wakeup.0));
        self.wakeup.1.notify_all();
        locked(&self.queue).close();
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Leaves some of the time until a deadline.
fn shortly_before(deadline: Instant) -> Instant {
    let rest = deadline.saturating_duration_since(Instant::now());
    deadline.checked_sub(MARGIN.min(rest / 4)).unwrap_or(deadline)
}

/// Waits until then, if there is the patience and the time.
fn wait(until: Instant, deadline: Instant, patience: Patience) -> bool {
    if patience == Patience::Once || until >= deadline {
        return false;
    }
    thread::sleep(until.saturating_duration_since(Instant::now()));
    true
}

impl Exporter for ApiExporter {
    fn name(&self) -> &'static str {
        EXPORTER
    }

    fn wants(&self, topic: Topic, _: Level, _: &str) -> bool {
        topic == Topic::Fact
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let Self(shared) = self;
        let Settings { common, service_checks, command_events, .. } = &shared.settings;
        if let Some(message) = Message::of(&common.tags, event, *service_checks, *command_events) {
            shared.enqueue(message);
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        let Self(shared) = self;
        if shared.closed.load(Ordering::SeqCst) {
            return Ok(Flushed::Nothing);
        }
        shared.flush(deadline, MAX_AHEAD)
    }

    fn flush_last(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        let Self(shared) = self;
        if shared.closed.load(Ordering::SeqCst) {
            return Ok(Flushed::Nothing);
        }
        let flushed = shared.flush(deadline, MAX_AHEAD_AT_END);
        locked(&shared.queue).close();
        flushed
    }

    fn give_up(&self, deadline: Instant) {
        let Self(shared) = self;
        shared.collect(MAX_AHEAD_AT_END);
        if locked(&shared.queue).expects_answer() {
            shared.sending.with(shortly_before(deadline), |()| ());
        }
        locked(&shared.queue).close();
    }

    fn late(&self, limit: String) -> String {
        format!("{}: {limit}", self.0.settings.client.url())
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &[
            "forbidden",
            "network",
            "no_answer",
            "no_thread",
            "not_datadog",
            "not_finite",
            "not_sent_at_exit",
            "panic",
            "queue_full",
            "rate_limited",
            "refused",
            "too_large",
            "unavailable",
        ]
    }

    fn queued(&self) -> usize {
        locked(&self.0.queue).len() + locked(&self.0.messages).len()
    }

    fn close(&self) {
        self.0.close();
    }
}

impl Drop for ApiExporter {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl fmt::Debug for ApiExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ApiExporter").field("settings", &self.0.settings).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
