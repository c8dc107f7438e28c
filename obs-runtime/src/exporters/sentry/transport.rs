//! Sends envelopes over HTTP on the calling thread, and honours the server's rate limits.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use ::sentry::client_report::{Reason, Recorder};
use ::sentry::protocol::{EnvelopeFilterCallbacks, EnvelopeItem};
use ::sentry::transports::{RateLimiter, RateLimitingCategory};
use ::sentry::{Envelope, TransportOptions};

use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::exporters::sentry::check_ins;
use crate::exporters::sentry::connection::{Connection, ConnectionOptions};
use crate::exporters::sentry::kept::Kept;
use crate::exporters::sentry::rejection::Rejection;
use crate::exporters::sentry::spool::Spool;
use crate::metrics::drop_counters;

/// No envelope was sent yet.
const UNKNOWN: u8 = 0;
/// The server has accepted the last envelope.
const ACCEPTS: u8 = 1;
/// The last envelope was not accepted, or did not arrive.
const REJECTS: u8 = 2;

/// The reason of what could not be sent before the program ended.
pub const LATE: &str = "late";
/// The same for people.
pub const TOO_LATE: &str = "it could not be sent in time";
/// What is said of an event that is not lost.
const KEPT: &str = "; it is kept for the next run";

/// Gets the duration and the result of each delivery.
pub type OnDelivery = Arc<dyn Fn(Duration, Result<(), String>) + Send + Sync>;

/// Sends envelopes to one server.
pub struct Http {
    connection: Connection,
    lost: Recorder,
    limits: Mutex<Limits>,
    on_delivery: OnDelivery,
    kept: Kept,
    /// How long the server took to accept an envelope, in nanoseconds.
    latency: AtomicU64,
    /// What the server last did.
    standing: AtomicU8,
}

/// The server's rate limits.
#[derive(Default)]
struct Limits {
    limiter: RateLimiter,
    /// When check-ins are allowed again: the client's limiter has no category for them.
    monitors: Option<Instant>,
}

impl Limits {
    fn allow(&self, item: &EnvelopeItem) -> bool {
        let category = match item {
            EnvelopeItem::Event(_) => RateLimitingCategory::Error,
            EnvelopeItem::SessionUpdate(_) | EnvelopeItem::SessionAggregates(_) => RateLimitingCategory::Session,
            EnvelopeItem::Transaction(_) => RateLimitingCategory::Transaction,
            EnvelopeItem::MonitorCheckIn(_) if self.monitors.is_some_and(|until| Instant::now() < until) => {
                return false;
            }
            _ => RateLimitingCategory::Any,
        };
        self.limiter.is_enabled(category)
    }

    fn update(&mut self, header: &str) {
        self.limiter.update_from_sentry_header(header);
        for group in header.split(',') {
            let mut parts = group.trim().split(':');
            let seconds = parts.next().and_then(|seconds| seconds.parse::<f64>().ok());
            let is_of_monitors = parts.next().is_some_and(|of| of.split(';').any(|category| category == "monitor"));
            let wait = seconds.filter(|_| is_of_monitors).and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
            self.monitors = wait.and_then(|wait| Instant::now().checked_add(wait)).or(self.monitors);
        }
    }
}

impl Http {
    /// A client for the server of the DSN. What cannot be delivered is kept in the spool, if there is one.
    pub fn new(
        options: &TransportOptions,
        connection: ConnectionOptions,
        on_delivery: OnDelivery,
        spool: Option<Spool>,
    ) -> Self {
        Self {
            connection: Connection::new(options, connection),
            lost: options.client_report_recorder.clone(),
            limits: Mutex::default(),
            on_delivery,
            kept: Kept::new(spool),
            latency: AtomicU64::new(0),
            standing: AtomicU8::new(UNKNOWN),
        }
    }

    /// How long the server took to accept the last envelope.
    pub fn latency(&self) -> Duration {
        Duration::from_nanos(self.latency.load(Ordering::Relaxed))
    }

    /// Whether the server has accepted the last envelope.
    pub fn accepts(&self) -> bool {
        self.standing.load(Ordering::Relaxed) == ACCEPTS
    }

    /// Whether the last envelope was not accepted.
    pub fn rejects(&self) -> bool {
        self.standing.load(Ordering::Relaxed) == REJECTS
    }

    /// Counts an item that is not sent.
    pub fn lose(&self, item: &EnvelopeItem, reason: &'static str) {
        self.lost.record_lost_data(item, Reason::QueueOverflow);
        count(reason, is_counted(item).into());
    }

    fn limits(&self) -> std::sync::MutexGuard<'_, Limits> {
        self.limits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes the items that the rate limits do not allow. Returns the rest, if any, and whether some were removed.
    fn allowed(&self, envelope: Envelope) -> (Option<Envelope>, bool) {
        let limits = self.limits();
        let removed = Cell::new(false);
        let limited = |item: EnvelopeItem| {
            self.lost.record_lost_data(&item, Reason::RatelimitBackoff);
            count("rate_limited", is_counted(&item).into());
            set_status(&item, &EventStatus::NotSent(Rejection::RateLimited.cause(self.connection.server()).into()));
            removed.set(removed.get() || is_counted(&item));
        };
        let rest = envelope.filter(EnvelopeFilterCallbacks::new(|item: &_| limits.allow(item), limited));
        (rest, removed.get())
    }

    /// Sends an envelope.
    fn post(&self, envelope: &Envelope, timeout: Duration) -> Result<(), Rejection> {
        let mut body = Vec::new();
        envelope.to_writer(&mut body).map_err(|error| Rejection::NotSerialised(error.to_string()))?;
        let body = check_ins::with_traces(body);
        let answer = self.connection.post(&body, timeout)?;
        let mut limits = self.limits();
        if let Some(value) = &answer.rate_limits {
            limits.update(value);
        } else if let Some(value) = &answer.retry_after {
            limits.limiter.update_from_retry_after(value);
        } else if answer.status == 429 {
            limits.limiter.update_from_429();
        }
        drop(limits);
        match answer.status {
            200..300 if answer.is_page => Err(Rejection::Page),
            200..300 => Ok(()),
            429 => Err(Rejection::RateLimited),
            status => Err(Rejection::Status(status)),
        }
    }

    /// Sends an envelope until the deadline, and remembers what the server did.
    fn deliver(&self, envelope: &mut Envelope, deadline: Instant) -> Result<(), Rejection> {
        let begun = Instant::now();
        *envelope = self.connection.addressed(std::mem::take(envelope));
        let result = self.post(envelope, deadline.saturating_duration_since(begun));
        if result.is_ok() {
            let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
            self.latency.store(nanos, Ordering::Relaxed);
        }
        self.standing.store(if result.is_ok() { ACCEPTS } else { REJECTS }, Ordering::Relaxed);
        result
    }

    /// Counts what was not delivered, and tells the server of it later.
    fn lose_rejected(&self, envelope: &Envelope, rejection: &Rejection) {
        let items = envelope.items().filter(|item| is_counted(item)).count() as u64;
        let (lost, reason) = match rejection {
            Rejection::NotSerialised(_) => (Some(Reason::InternalError), "not_serialised"),
            Rejection::Unreachable(_) | Rejection::Certificate(_) => (Some(Reason::NetworkError), "network"),
            // The server counts what it rejects by rate limits.
            Rejection::RateLimited => (None, "rate_limited"),
            Rejection::Status(_) | Rejection::Page => (Some(Reason::SendError), "refused"),
        };
        if let Some(lost) = lost {
            self.lost.record_lost_data(envelope, lost);
        }
        count(reason, items);
    }

    /// Sends an envelope, and waits for the answer until the deadline.
    pub fn send(&self, envelope: Envelope, deadline: Instant) {
        let begun = Instant::now();
        let (allowed, is_limited) = self.allowed(envelope);
        let was_sent = allowed.is_some();
        let result = allowed.map_or(Ok(()), |mut envelope| {
            let sending = self.kept.begin(&envelope);
            let result = self.deliver(&mut envelope, deadline);
            let is_kept = self.kept.end(sending, result.is_ok());
            let status = match &result {
                Ok(()) => EventStatus::Accepted,
                Err(rejection) if is_kept || rejection.may_pass_later() && self.keep(&envelope, "network") => {
                    EventStatus::NotSent(format!("{}{KEPT}", rejection.cause(self.connection.server())).into())
                }
                Err(rejection) => {
                    self.lose_rejected(&envelope, rejection);
                    EventStatus::NotSent(rejection.cause(self.connection.server()).into())
                }
            };
            envelope.items().for_each(|item| set_status(item, &status));
            result
        });
        if !was_sent && !is_limited {
            return;
        }
        let result = if is_limited { result.and(Err(Rejection::RateLimited)) } else { result };
        (self.on_delivery)(begun.elapsed(), result.map_err(|rejection| rejection.reason(self.connection.server())));
    }

    /// Sends an envelope of an earlier run. Returns whether it is done: the server has accepted it, or never will.
    pub fn send_kept(&self, mut envelope: Envelope, deadline: Instant) -> bool {
        if !envelope.items().all(|item| self.limits().allow(item)) {
            return false;
        }
        let begun = Instant::now();
        let result = self.deliver(&mut envelope, deadline);
        let is_done = match &result {
            Ok(()) => true,
            Err(rejection) if rejection.may_pass_later() || *rejection == Rejection::RateLimited => false,
            Err(rejection) => {
                self.lose_rejected(&envelope, rejection);
                true
            }
        };
        (self.on_delivery)(begun.elapsed(), result.map_err(|rejection| rejection.reason(self.connection.server())));
        is_done
    }

    /// Whether what cannot be delivered is kept.
    pub const fn keeps(&self) -> bool {
        self.kept.is_on()
    }

    /// Keeps an envelope that is not sent for the next run. What is of no use then is lost, for this reason.
    fn keep(&self, envelope: &Envelope, reason: &'static str) -> bool {
        let kept = self.kept.keep(envelope);
        kept.iter().flat_map(|(_, left)| left).for_each(|item| self.lose(item, reason));
        kept.is_some()
    }

    /// Keeps an envelope that could not be sent in time for the next run, or loses it.
    pub fn keep_late(&self, envelope: &Envelope) {
        let is_kept = self.keep(envelope, LATE);
        if !is_kept {
            envelope.items().for_each(|item| self.lose(item, LATE));
        }
        let words = if is_kept { format!("{TOO_LATE}{KEPT}") } else { TOO_LATE.to_owned() };
        envelope.items().for_each(|item| set_status(item, &EventStatus::NotSent(words.clone().into())));
    }

    /// Keeps what is being sent, as the program is about to end.
    pub fn keep_sending(&self) {
        self.kept.keep_sending();
    }
}

fn is_counted(item: &EnvelopeItem) -> bool {
    !matches!(item, EnvelopeItem::ClientReport(_))
}

fn count(reason: &'static str, number: u64) {
    if number > 0 {
        drop_counters::count("sentry", reason, number);
    }
}

/// Remembers what has become of an event.
fn set_status(item: &EnvelopeItem, status: &EventStatus) {
    if let EnvelopeItem::Event(event) = item {
        event_status::set(EventId::from_uuid(event.event_id), status.clone());
    }
}
