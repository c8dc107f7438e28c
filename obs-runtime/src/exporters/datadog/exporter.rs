//! Datadog: what was measured, as DogStatsD to an agent, by UDP or a UNIX socket; health checks as service checks; failed
//! commands as events, where asked.
//!
//! Metrics are not sent call by call. What the call sites count is read at an interval and at every flush, and what has come
//! since the last time is sent: counters by how much they grew, gauges as they are, histograms as distributions (see
//! `distribution` for how exact these are). A million calls are a few lines.
//!
//! What could not be sent is still to be sent the next time: an agent that is restarted gets it when it is back. What could
//! not be sent for a minute is dropped and counted, as `obs.dropped{sink="datadog",reason="unreachable"}`.

#[cfg(test)]
mod tests;

use crate::exporters::datadog::user_metrics::Users;

use std::collections::VecDeque;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::base::level::Level;
use crate::config::agent_address::AgentAddress;
use crate::events::event::{CallInfo, Event, Fact};
use crate::exporters::datadog::deadline_mutex::Turn;
use crate::exporters::datadog::delivery::{Delivery, NOTES, Undelivered};
use crate::exporters::datadog::delta_tracker::Ledger;
use crate::exporters::datadog::events_and_service_checks::Sender;
use crate::exporters::datadog::lines::Writer;
use crate::exporters::datadog::measurements::Measurements;
use crate::exporters::datadog::names;
use crate::exporters::datadog::names::EXPORTER;
use crate::exporters::datadog::origin;
use crate::exporters::datadog::transport::Transport;
use crate::exporters::datadog::user_metrics::users;
use crate::exporters::interface::{Exporter, FlushError, Topic};
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::metrics::snapshot::Snapshot;
use crate::redact::redactor::Redacted;

/// An interval of none would be all that a core does.
const LEAST_INTERVAL: Duration = Duration::from_millis(10);

/// How long a delivery that nobody waits for may take.
const IN_THE_BACKGROUND: Duration = Duration::from_secs(2);

/// What a [`DatadogExporter`] is told.
pub struct Settings {
    /// Where the agent is.
    pub agent: AgentAddress,
    /// How often it gets what has come.
    pub interval: Duration,
    /// Tag `service`.
    pub service: String,
    /// Tag `env`.
    pub env: String,
    /// Tag `version`.
    pub version: String,
    /// Whose metrics these are, for the agent: `DD_ENTITY_ID`. `none` for nobody's.
    pub entity_id: Option<String>,
    /// Whether health checks are service checks.
    pub service_checks: bool,
    /// Whether a command that fails is an event.
    pub command_events: bool,
    /// Whether anything is measured.
    pub measures: bool,
}

/// Where the sink reads what was measured.
pub type Source = Box<dyn Fn() -> Snapshot + Send + Sync>;

/// Tells the program's operators something, at most once for each thing that is wrong.
pub type Warn = Box<dyn Fn(String) + Send + Sync>;

/// What Datadog gets.
pub struct DatadogExporter(Arc<Shared>);

/// What the sink and its thread have in common.
struct Shared {
    source: Source,
    warn: Warn,
    sender: Sender,
    service_checks: bool,
    command_events: bool,
    /// Notes of which no delivery knows yet.
    new_notes: Mutex<VecDeque<String>>,
    delivery: Turn<Delivery>,
    /// Somebody waits for a flush.
    urgent: AtomicBool,
    /// It is over.
    closed: AtomicBool,
    /// What the thread sleeps by.
    bell: (Mutex<()>, Condvar),
}

impl DatadogExporter {
    /// A sink that reads from `source`. What the source has measured already is taken to be sent: only what comes after is.
    ///
    /// Where there is no thread to be had that sends at the interval, what has come is sent at flushes only.
    #[must_use]
    pub fn new(settings: Settings, source: Source, warn: Warn) -> Self {
        let Settings { agent, interval, service, env, version, entity_id, service_checks, command_events, measures } =
            settings;
        let nobody = entity_id.as_deref().is_some_and(|id| id.eq_ignore_ascii_case("none"));
        let entity_id = entity_id.filter(|_| !nobody);
        let constant = [("service", &*service), ("env", &*env), ("version", &*version)];
        let entity = entity_id.as_deref().map(|id| ("dd.internal.entity_id", id));
        let sender = Sender {
            constant: constant
                .into_iter()
                .chain(entity)
                .filter_map(|(name, value)| names::constant_tag(name, value))
                .collect(),
            container: if nobody || entity_id.is_some() { None } else { origin::container() },
        };
        let mut ledger = Ledger::new(sender.constant.clone());
        Users::want(measures);
        ledger.begin_at(&Measurements { snapshot: source(), users: users().series() });
        let delivery = Delivery {
            ledger,
            writer: Writer::new(&sender),
            transport: Transport::new(agent),
            notes: VecDeque::new(),
            failing_since: None,
        };
        let shared = Arc::new(Shared {
            source,
            warn,
            sender,
            service_checks,
            command_events,
            new_notes: Mutex::default(),
            delivery: Turn::new(delivery),
            urgent: AtomicBool::new(false),
            closed: AtomicBool::new(false),
            bell: (Mutex::new(()), Condvar::new()),
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
    /// Delivers at the interval until it is over.
    fn work(&self, interval: Duration) {
        let mut told = false;
        while self.sleep(interval.max(LEAST_INTERVAL)) {
            let begun = Instant::now();
            let interrupted = || self.urgent.load(Ordering::SeqCst) || self.closed.load(Ordering::SeqCst);
            let delivered = catch_unwind(AssertUnwindSafe(|| self.deliver(begun + IN_THE_BACKGROUND, &interrupted)));
            let result = match delivered {
                // Whoever interrupted it delivers instead.
                Ok(Err(Undelivered { interrupted: true, .. })) => continue,
                Ok(result) => result.map_err(|undelivered| undelivered.to_string()),
                Err(_) => {
                    drop_counters::count(EXPORTER, "panic", 1);
                    continue;
                }
            };
            if let Err(reason) = &result
                && !told
            {
                (self.warn)(format!("datadog: {reason}"));
            }
            told = result.is_err();
            delivery_stats::note(EXPORTER, begun.elapsed(), result);
        }
    }

    /// False when it is over.
    fn sleep(&self, interval: Duration) -> bool {
        let (awake, bell) = &self.bell;
        let begun = Instant::now();
        let mut held = awake.lock().unwrap_or_else(PoisonError::into_inner);
        while !self.closed.load(Ordering::SeqCst) {
            let left = interval.saturating_sub(begun.elapsed());
            if left.is_zero() {
                return true;
            }
            held = bell.wait_timeout(held, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        false
    }

    fn deliver(&self, deadline: Instant, interrupted: &dyn Fn() -> bool) -> Result<(), Undelivered> {
        let delivered = self.delivery.with(deadline, |delivery| {
            self.take_notes(delivery);
            let result = delivery.deliver(&self.measured(), deadline, interrupted);
            (result, delivery.ledger.take_clashes())
        });
        let (result, clashes) = delivered.unwrap_or_else(|| (Err(Undelivered::busy()), Vec::new()));
        if let Some(first) = clashes.first() {
            let more = if clashes.len() > 1 { format!(", and {} more", clashes.len() - 1) } else { String::new() };
            (self.warn)(format!(
                "datadog: {first}{more}, which Datadog cannot tell apart: names and tags that differ in the case of letters or in \
                 characters that it replaces are one to it, and a name stands for one kind of metric"
            ));
        }
        result
    }

    fn measured(&self) -> Measurements {
        Measurements { snapshot: (self.source)(), users: users().series() }
    }

    fn take_notes(&self, delivery: &mut Delivery) {
        let new = std::mem::take(&mut *self.new_notes.lock().unwrap_or_else(PoisonError::into_inner));
        delivery.notes.extend(new);
        let over = delivery.notes.len().saturating_sub(NOTES);
        if over > 0 {
            delivery.notes.drain(..over);
            drop_counters::count(EXPORTER, "queue_full", over as u64);
        }
    }

    fn note(&self, note: String) {
        let mut notes = self.new_notes.lock().unwrap_or_else(PoisonError::into_inner);
        if notes.len() < NOTES {
            notes.push_back(note);
        } else {
            drop(notes);
            drop_counters::count(EXPORTER, "queue_full", 1);
        }
    }

    fn close(&self) {
        if self.closed.swap(true, Ordering::SeqCst) {
            return;
        }
        Users::want(false);
        drop(self.bell.0.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.1.notify_all();
        // Not while a delivery is under way: that one notices by itself, and nobody waits here.
        self.delivery.with(Instant::now(), |delivery| {
            self.take_notes(delivery);
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
        match &event.fact {
            Fact::HealthChecked { check, status, score: _, duration: _, message } if shared.service_checks => {
                shared.note(shared.sender.service_check(event, check, status, message.as_deref()));
            }
            Fact::Finished { call: call @ CallInfo { kind: CallsiteKind::Command, .. }, outcome, failure, .. }
                if shared.command_events && !outcome.is_ok() =>
            {
                shared.note(shared.sender.command_failed(event, call, *outcome, failure.as_ref()));
            }
            // What these count and measure is read from the source.
            Fact::Log { .. }
            | Fact::Started { .. }
            | Fact::Finished { .. }
            | Fact::Captured { .. }
            | Fact::Reported(_)
            | Fact::Traced(_)
            | Fact::Breadcrumb(_)
            | Fact::FeatureUsed { .. }
            | Fact::Priced(_)
            | Fact::CostAlert { .. }
            | Fact::Queried { .. }
            | Fact::DatasetOperation { .. }
            | Fact::HealthChecked { .. }
            | Fact::QualityChecked { .. } => {}
        }
    }

    fn flush(&self, deadline: Instant) -> Result<(), FlushError> {
        let Self(shared) = self;
        if shared.closed.load(Ordering::SeqCst) {
            return Ok(());
        }
        shared.urgent.store(true, Ordering::SeqCst);
        let result = shared.deliver(deadline, &|| false);
        shared.urgent.store(false, Ordering::SeqCst);
        result.map_err(|undelivered| FlushError { sink: EXPORTER, reason: undelivered.to_string() })
    }

    fn queued(&self) -> usize {
        self.0.new_notes.lock().unwrap_or_else(PoisonError::into_inner).len()
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
