//! Sends envelopes over HTTP on the calling thread, and honours the server's rate limits.

use std::cell::Cell;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use ::sentry::client_report::{Reason, Recorder};
use ::sentry::protocol::{EnvelopeFilterCallbacks, EnvelopeItem};
use ::sentry::transports::{RateLimiter, RateLimitingCategory};
use ::sentry::{Envelope, TransportOptions};
use ureq::{Agent, Error, Timeout};

use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::exporters::http;
use crate::exporters::interface::rounded;
use crate::exporters::sentry::rejection::Rejection;
use crate::metrics::drop_counters;

/// The timeout of connecting to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of a response that are read.
const MAX_RESPONSE: u64 = 64 * 1024;

/// No envelope was sent yet.
const UNKNOWN: u8 = 0;
/// The server has accepted the last envelope.
const ACCEPTS: u8 = 1;
/// The last envelope was not accepted, or did not arrive.
const REJECTS: u8 = 2;

/// Gets the duration and the result of each delivery.
pub type OnDelivery = Arc<dyn Fn(Duration, Result<(), String>) + Send + Sync>;

/// Sends envelopes to one server.
pub struct Http {
    agent: Agent,
    url: String,
    auth: String,
    lost: Recorder,
    limits: Mutex<Limits>,
    /// The host and port of the server.
    server: String,
    on_delivery: OnDelivery,
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
    /// A client for the server of the DSN.
    pub fn new(options: &TransportOptions, on_delivery: OnDelivery) -> Self {
        let url = options.dsn.envelope_api_url().to_string();
        Self {
            agent: http::agent(&url, None, Some(CONNECT_TIMEOUT)),
            url,
            auth: options.dsn.to_auth(Some(&options.user_agent)).to_string(),
            lost: options.client_report_recorder.clone(),
            limits: Mutex::default(),
            server: format!("{}:{}", options.dsn.host(), options.dsn.port()),
            on_delivery,
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
            set_status(&item, &EventStatus::NotSent(Rejection::RateLimited.cause(&self.server).into()));
            removed.set(removed.get() || is_counted(&item));
        };
        let rest = envelope.filter(EnvelopeFilterCallbacks::new(|item: &_| limits.allow(item), limited));
        (rest, removed.get())
    }

    /// Sends an envelope.
    fn post(&self, envelope: &Envelope, timeout: Duration) -> Result<(), Rejection> {
        let items = envelope.items().filter(|item| is_counted(item)).count() as u64;
        let mut body = Vec::new();
        if let Err(error) = envelope.to_writer(&mut body) {
            self.lost.record_lost_data(envelope, Reason::InternalError);
            count("not_serialised", items);
            return Err(Rejection::NotSerialised(error.to_string()));
        }
        let request = self.agent.post(&self.url).config().timeout_global(Some(timeout)).build();
        let request = request.header("X-Sentry-Auth", &self.auth);
        let mut response = match request.content_type("application/x-sentry-envelope").send(&body[..]) {
            Ok(response) => response,
            Err(error) => {
                self.lost.record_lost_data(envelope, Reason::NetworkError);
                count("network", items);
                return Err(Rejection::Unreachable(match error {
                    Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
                        format!("no connection within {}s", CONNECT_TIMEOUT.as_secs())
                    }
                    Error::Timeout(_) => format!("no answer within {}", rounded(timeout)),
                    other => other.to_string(),
                }));
            }
        };
        let status = response.status().as_u16();
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
        let mut limits = self.limits();
        if let Some(value) = header("x-sentry-rate-limits") {
            limits.update(value);
        } else if let Some(value) = header("retry-after") {
            limits.limiter.update_from_retry_after(value);
        } else if status == 429 {
            limits.limiter.update_from_429();
        }
        drop(limits);
        let is_page = http::is_page(response.headers());
        // A connection is reused only after its response has been read.
        let _ = response.body_mut().with_config().limit(MAX_RESPONSE).read_to_vec();
        match status {
            200..300 if is_page => {
                self.lost.record_lost_data(envelope, Reason::SendError);
                count("refused", items);
                Err(Rejection::Page)
            }
            200..300 => Ok(()),
            // The server counts what it rejects by rate limits.
            429 => {
                count("rate_limited", items);
                Err(Rejection::RateLimited)
            }
            _ => {
                self.lost.record_lost_data(envelope, Reason::SendError);
                count("refused", items);
                Err(Rejection::Status(status))
            }
        }
    }

    /// Sends an envelope, and waits for the answer until the deadline.
    pub fn send(&self, envelope: Envelope, deadline: Instant) {
        let begun = Instant::now();
        let (allowed, is_limited) = self.allowed(envelope);
        let was_sent = allowed.is_some();
        let result = allowed.map_or(Ok(()), |envelope| {
            let headers = envelope.headers().clone().with_sent_at(SystemTime::now());
            let envelope = envelope.with_headers(headers);
            let result = self.post(&envelope, deadline.saturating_duration_since(begun));
            if result.is_ok() {
                let nanos = u64::try_from(begun.elapsed().as_nanos()).unwrap_or(u64::MAX);
                self.latency.store(nanos, Ordering::Relaxed);
            }
            self.standing.store(if result.is_ok() { ACCEPTS } else { REJECTS }, Ordering::Relaxed);
            let status = match &result {
                Ok(()) => EventStatus::Accepted,
                Err(rejection) => EventStatus::NotSent(rejection.cause(&self.server).into()),
            };
            envelope.items().for_each(|item| set_status(item, &status));
            result
        });
        if !was_sent && !is_limited {
            return;
        }
        let result = if is_limited { result.and(Err(Rejection::RateLimited)) } else { result };
        (self.on_delivery)(begun.elapsed(), result.map_err(|rejection| rejection.reason(&self.server)));
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
