//! Sends errors, panics and messages as events with breadcrumbs, check-ins of scheduled commands, a session for each run, and
//! traces.
//!
//! A bounded queue decouples the program from Sentry: the worker's thread redacts reports, resolves names of functions, calls
//! `before_send`, and sends.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use ::sentry::types::Dsn;

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::config::validated::Config;
use crate::context::remote_parent::RemoteParent;
use crate::context::sentry_trace;
use crate::events::active_span::{self, Roots};
use crate::events::event::{Event, Fact};
use crate::events::event_id::EventId;
use crate::events::event_status::{self, EventStatus};
use crate::events::panics;
use crate::events::span::{Sampling, TraceRoot};
use crate::exporters::error_event::RawErrorEvent;
use crate::exporters::interface::{
    Exporter, FlushError, Flushed, Topic, TraceHeader, a_little_before, no_answer_within,
};
use crate::exporters::sentry::baggage::Baggage;
use crate::exporters::sentry::breadcrumbs::BreadcrumbBuffer;
use crate::exporters::sentry::command_runs;
use crate::exporters::sentry::connection::ConnectionOptions;
use crate::exporters::sentry::event_draft::EventDraft;
use crate::exporters::sentry::foreign_events::Redact;
use crate::exporters::sentry::options;
use crate::exporters::sentry::options::SentryOptions;
use crate::exporters::sentry::options::{Settings, client};
use crate::exporters::sentry::process_session::ProcessSession;
use crate::exporters::sentry::queue::Job;
use crate::exporters::sentry::spool::Spool;
use crate::exporters::sentry::traces;
use crate::exporters::sentry::transport::OnDelivery;
use crate::exporters::sentry::worker::{Factory, Worker};
use crate::metrics::drop_counters;
use crate::redact::redactor::Redacted;

/// `SENTRY_DSN` is malformed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed DSN")]
pub struct InvalidDsn;

/// Sends to Sentry.
pub struct SentryExporter {
    settings: Arc<Settings>,
    breadcrumbs: BreadcrumbBuffer,
    worker: Worker,
    session: ProcessSession,
    trace_sample_rate: f64,
    baggage: Baggage,
    /// The host of the server.
    server: String,
}

impl SentryExporter {
    /// An exporter that sends to the project of `SENTRY_DSN`; `None` if Sentry is not enabled. `on_delivery` gets the result
    /// of each envelope; `connection` says how the server is reached; `redact` is for events of sentry's own functions.
    ///
    /// # Errors
    /// If the DSN is malformed.
    pub fn new(
        config: &Config,
        options: SentryOptions,
        connection: ConnectionOptions,
        on_delivery: OnDelivery,
        redact: Redact,
    ) -> Result<Option<Self>, InvalidDsn> {
        let Some(dsn) = config.sentry_dsn.as_ref().filter(|_| config.sentry_enabled) else { return Ok(None) };
        let dsn: Dsn = dsn.expose().parse().map_err(|_| InvalidDsn)?;
        let settings = Arc::new(Settings::new(config, &options));
        let server = dsn.host().to_owned();
        let breadcrumbs = BreadcrumbBuffer::new(options.max_breadcrumbs);
        let binds = !options.leaves_hub_alone;
        // Only where the program has said so: the platform's folder may be that of somebody else.
        let folder = config.state_dir.as_ref().filter(|_| !options.keeps_nothing);
        let spool = folder.map(|folder| Spool::new(folder, &dsn.to_string()));
        let baggage = Baggage::new(dsn.public_key(), &settings);
        let make = |factory| client(dsn, &settings, options, redact, factory);
        let worker = Worker::new(Factory::new(on_delivery, connection, spool), make);
        if binds {
            worker.bind_to_hub();
        }
        let trace_sample_rate = config.sentry_traces_sample_rate;
        if trace_sample_rate > 0.0 {
            active_span::raise_roots(Roots::Remote);
        }
        let session = ProcessSession::new();
        Ok(Some(Self { settings, breadcrumbs, worker, session, trace_sample_rate, baggage, server }))
    }

    /// Whether the program does not want errors of that label, which are counted.
    fn ignores(&self, id: EventId, error_type: &str) -> bool {
        let ignores = self.settings.ignore_errors.iter().any(|ignored| ignored == error_type);
        if ignores {
            drop_counters::count(self.name(), "ignored", 1);
            event_status::set(id, EventStatus::NotSent("ignore_errors names its label".into()));
        }
        ignores
    }

    /// The result of a flush that was to end shortly before the deadline.
    fn flushed(&self, (left, limit): (usize, Duration)) -> Result<Flushed, FlushError> {
        if left == 0 {
            // Each envelope was recorded when the server answered.
            return Ok(Flushed::Nothing);
        }
        let reason = if self.worker.is_slow() {
            let server = &self.server;
            format!(
                "{left} envelopes not sent to {server}: the server answers too slowly for so many (OBS_FLUSH_TIMEOUT)"
            )
        } else {
            self.late(no_answer_within(limit))
        };
        Err(FlushError { sink: self.name(), reason })
    }

    fn send(&self, jobs: impl IntoIterator<Item = Job>) {
        jobs.into_iter().for_each(|job| self.worker.send(job));
    }
}

impl Exporter for SentryExporter {
    fn name(&self) -> &'static str {
        "sentry"
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        match topic {
            Topic::Fact | Topic::Report => true,
            // The client's own log lines would cause further ones.
            Topic::Log => level >= Level::Info && !options::is_transport(logger),
            Topic::Call => level >= Level::Info,
        }
    }

    fn least_level(&self) -> Option<Level> {
        Some(Level::Info)
    }

    fn wants_stack_traces(&self) -> bool {
        true
    }

    fn sampling(&self, root: &TraceRoot) -> Sampling {
        let decision = || root.caller.and_then(|caller| caller.decision());
        let is_sampled = || decision().unwrap_or_else(|| root.trace.is_within(self.trace_sample_rate));
        // A transaction is the run of a command, or a request.
        let is_one = root.is_command || root.is_request || root.is_remote;
        if root.is_request {
            self.send(self.session.begins(&self.settings, false));
        }
        if is_one && self.trace_sample_rate > 0.0 && is_sampled() { Sampling::Yes } else { Sampling::No }
    }

    fn trace_headers(&self, trace: &TraceContext, parent: Option<&RemoteParent>) -> Vec<TraceHeader> {
        let value = sentry_trace::write(trace);
        let of_trace =
            TraceHeader { header: sentry_trace::TRACE_HEADER, variable: sentry_trace::TRACE_VARIABLE, value };
        // Who has begun the trace decides what is said of it.
        let baggage = match parent {
            Some(parent) => parent.baggage.clone(),
            None => Some(self.baggage.of(trace)),
        };
        let (header, variable) = (sentry_trace::BAGGAGE_HEADER, sentry_trace::BAGGAGE_VARIABLE);
        let of_baggage = baggage.map(|value| TraceHeader { header, variable, value });
        [of_trace].into_iter().chain(of_baggage).collect()
    }

    fn redacts_reports(&self) -> bool {
        true
    }

    fn close(&self) {
        active_span::set_roots(Roots::Never);
        self.worker.unbind_from_hub();
    }

    fn accept_report(&self, report: RawErrorEvent) {
        if self.ignores(report.id(), report.error_type()) {
            return;
        }
        let crumbs = self.breadcrumbs.of(report.correlation_id().as_deref(), report.time());
        let settings = Arc::clone(&self.settings);
        self.send(self.session.begins(&self.settings, report.is_error()));
        let (id, ends_command) = (report.id(), report.ends_command());
        let make = move || Some(report.redact(|event| EventDraft::of(event, crumbs))?.prepare(&settings));
        self.worker.send(Job::Event { id, ends_command, make: Box::new(make) });
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        match &event.fact {
            Fact::Reported(report) if self.ignores(report.id, &report.error_type) => {}
            Fact::Reported(report) => {
                let crumbs = self.breadcrumbs.of(event.context.correlation_id.as_deref(), event.time);
                let (draft, settings) = (EventDraft::of(event, crumbs), Arc::clone(&self.settings));
                let make = move || Some(draft?.prepare(&settings));
                self.send(self.session.begins(&self.settings, !report.kind.is_message()));
                let (id, ends_command) = (report.id, report.ends_command());
                self.worker.send(Job::Event { id, ends_command, make: Box::new(make) });
            }
            Fact::Traced(recorded) if self.sampling(&recorded.decided_by()) == Sampling::Yes => {
                self.send([Job::item(traces::transaction(&self.settings, event, recorded))]);
            }
            Fact::Started { call, arguments: _ } => {
                if call.run.is_some() {
                    self.session.command_begins();
                }
                self.send(command_runs::started(&self.settings, event, call));
            }
            Fact::Finished { call, outcome, duration, failure: _, exit_code: _ } => {
                self.send(command_runs::finished(&self.settings, event, call, *outcome, *duration));
                self.breadcrumbs.add(event, "operation");
            }
            Fact::Log { message: _ } => self.breadcrumbs.add(event, &event.source.logger),
            Fact::Breadcrumb { category, .. } => self.breadcrumbs.add(event, category),
            Fact::Queried { .. } => self.breadcrumbs.add(event, "query"),
            Fact::CostAlert { .. } | Fact::DatasetOperation { .. } => self.breadcrumbs.add(event, "bigquery"),
            Fact::QualityChecked { .. } | Fact::HealthChecked { .. } => self.breadcrumbs.add(event, "check"),
            // The report of the same error follows, the event only matters for metrics, or another exporter wants the trace.
            Fact::Captured { .. }
            | Fact::FeatureUsed { .. }
            | Fact::ArgumentUsed { .. }
            | Fact::Priced(_)
            | Fact::Traced(_) => {}
        }
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.flushed(until(deadline, |earlier| self.worker.flush(earlier)))
    }

    fn flush_last(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.send(self.session.ends(&self.settings, panics::is_end_of_process()));
        self.flushed(until(deadline, |earlier| self.worker.flush_last(earlier)))
    }

    fn give_up(&self, deadline: Instant) {
        self.send(self.session.ends(&self.settings, panics::is_end_of_process()));
        self.worker.give_up(a_little_before(deadline));
    }

    fn late(&self, limit: String) -> String {
        let server = &self.server;
        format!("envelopes not sent to {server}: {limit}; is it the host of SENTRY_DSN, and can this machine reach it?")
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &[
            "before_send",
            "expired",
            "ignored",
            "late",
            "network",
            "not_serialised",
            "panic",
            "queue_full",
            "rate_limited",
            "refused",
            "sample_rate",
        ]
    }

    fn queued(&self) -> usize {
        self.worker.queued()
    }
}

/// What a flush that ends a little earlier leaves, and how long it had.
fn until(deadline: Instant, flush: impl FnOnce(Instant) -> usize) -> (usize, Duration) {
    let limit = deadline.saturating_duration_since(Instant::now());
    (flush(a_little_before(deadline)), limit)
}

impl fmt::Debug for SentryExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("SentryExporter").field("settings", &self.settings).finish_non_exhaustive()
    }
}
