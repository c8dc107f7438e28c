//! Keeps events in memory, for tests.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::events::event::{Event, Fact};
use crate::events::failure_facts::FailureFacts;
use crate::events::report::{Report, ReportKind};
use crate::events::span::{RecordedTrace, Sampling, Span, TraceRoot};
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic};
use crate::redact::redactor::Redacted;

/// The captured events, redacted as for every exporter.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Records {
    /// Log lines of the program and its libraries, at every level; those of the crates that carry requests (`hyper`, `h2`,
    /// `reqwest`, `rustls` and the like) from INFO on.
    pub logs: Vec<Line>,
    /// Calls of commands and operations that ended, in the order of their ends.
    pub calls: Vec<CallRecord>,
    /// Errors and panics: each once, after it has passed its last annotated function.
    pub errors: Vec<ErrorRecord>,
    /// Messages captured with [`capture_message`](crate::capture_message).
    pub messages: Vec<ErrorRecord>,
    /// Messages of breadcrumbs.
    pub breadcrumbs: Vec<String>,
    /// Health checks that ran: name and status.
    pub health: Vec<(String, String)>,
    /// Data-quality checks that ran: name and status.
    pub quality: Vec<(String, String)>,
    /// Prices: operation, whether it is an estimate, US dollars.
    pub prices: Vec<(String, bool, f64)>,
    /// Cost alerts: operation and reason.
    pub cost_alerts: Vec<(String, String)>,
    /// Features used.
    pub features: Vec<String>,
    /// Spans in the order of their ends, those of one trace together, if traces are captured.
    pub spans: Vec<SpanRecord>,
    /// Events of other kinds, as text.
    pub others: Vec<String>,
}

/// A span that ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct SpanRecord {
    /// The name.
    pub name: String,
    /// What it is: `function`, `command`, `operator`, `check`, `db.query` or `span`.
    pub op: &'static str,
    /// The trace id: 32 hexadecimal digits.
    pub trace_id: String,
    /// The span id: 16 hexadecimal digits.
    pub span_id: String,
    /// The name of the span that it is inside of; none for the first one of a trace.
    pub parent: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// How long it took, by the clock of the system.
    pub duration: Duration,
    /// The error or panic by which it ended.
    pub failure: Option<FailureFacts<'static>>,
    /// Arguments, tags, context and other fields, with values as text.
    pub fields: Vec<(String, String)>,
}

/// A log line.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Line {
    /// The level.
    pub level: Level,
    /// The logger.
    pub logger: String,
    /// The message.
    pub message: String,
    /// The context.
    pub scope: ScopeRecord,
    /// Its fields, with values as text.
    pub fields: Vec<(String, String)>,
}

/// The context of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ScopeRecord {
    /// The correlation id.
    pub correlation_id: Option<String>,
    /// The user.
    pub user: Option<String>,
    /// The operation.
    pub operation: Option<String>,
    /// The trace id: 32 hexadecimal digits.
    pub trace_id: Option<String>,
    /// The names of the spans of `tracing`, outermost first.
    pub spans: Vec<String>,
    /// Further fields of the context, with values as text.
    pub fields: Vec<(String, String)>,
}

/// A call that ended.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct CallRecord {
    /// The operation's or command's name.
    pub name: String,
    /// The attribute, or that of the equivalent function.
    pub attribute: &'static str,
    /// How the call ended.
    pub outcome: Outcome,
    /// How long the call took.
    pub duration: Duration,
    /// The error, if the call failed.
    pub failure: Option<FailureFacts<'static>>,
    /// The exit code of a command.
    pub exit_code: Option<u8>,
    /// The context.
    pub scope: ScopeRecord,
    /// Recorded arguments and tags, with values as text.
    pub fields: Vec<(String, String)>,
}

/// A captured error, panic or message.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct ErrorRecord {
    /// The event id: 32 hexadecimal digits.
    pub event_id: String,
    /// The operation that failed first.
    pub operation: String,
    /// The level.
    pub level: Level,
    /// The error.
    pub failure: FailureFacts<'static>,
    /// Whether it is a panic.
    pub panic: bool,
    /// The context.
    pub scope: ScopeRecord,
    /// Recorded arguments, tags and context of each function that the error passed, innermost first, with values as text.
    pub fields: Vec<(String, String)>,
    /// The annotated functions that the error passed, innermost first.
    pub layers: Vec<String>,
}

/// Keeps events until [`take`](Self::take) is called.
#[derive(Debug)]
pub struct MemoryExporter {
    records: Mutex<Records>,
    takes_traces: bool,
}

impl MemoryExporter {
    /// Keeps nothing yet.
    pub fn new(takes_traces: bool) -> Self {
        Self { records: Mutex::default(), takes_traces }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes and returns the events accepted so far.
    #[must_use]
    pub fn take(&self) -> Records {
        std::mem::take(&mut self.records())
    }
}

impl Exporter for MemoryExporter {
    fn name(&self) -> &'static str {
        "memory"
    }

    fn wants(&self, _: Topic, level: Level, logger: &str) -> bool {
        level >= Level::Info || !is_of_transport(logger)
    }

    fn least_level(&self) -> Option<Level> {
        Some(Level::Trace)
    }

    fn sampling(&self, _: &TraceRoot) -> Sampling {
        if self.takes_traces { Sampling::Yes } else { Sampling::No }
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let fields = || {
            let fields = event.fields.iter().chain(event.span_fields().map(|(_, field)| field));
            fields.map(|field| (field.name.to_string(), field.value.to_string())).collect()
        };
        let mut records = self.records();
        match &event.fact {
            Fact::Log { message } => records.logs.push(Line {
                level: event.level,
                logger: event.source.logger.to_string(),
                message: message.to_string(),
                scope: scope(event),
                fields: fields(),
            }),
            Fact::Started { call, arguments } => {
                records.others.push(format!("started {} with {arguments:?}", call.name));
            }
            Fact::Finished { call, outcome, duration, failure, exit_code } => records.calls.push(CallRecord {
                name: call.name.to_string(),
                attribute: call.kind.as_str(),
                outcome: *outcome,
                duration: *duration,
                failure: failure.as_ref().map(FailureFacts::to_static),
                exit_code: *exit_code,
                scope: scope(event),
                fields: fields(),
            }),
            // An error is reported once, after it has passed its last function.
            Fact::Captured { .. } => {}
            // The program's tracer is to end its span; the span is part of its trace too.
            #[cfg(feature = "otlp")]
            Fact::Traced(recorded) if recorded.elsewhere.begun.is_some() => {}
            Fact::Traced(recorded) => records.spans.extend(spans(recorded)),
            Fact::Reported(report) => {
                let kept = if report.kind.is_message() { &mut records.messages } else { &mut records.errors };
                kept.push(reported(event, report));
            }
            Fact::Breadcrumb { message, .. } => records.breadcrumbs.push(message.to_string()),
            Fact::FeatureUsed { feature } => records.features.push(feature.to_string()),
            Fact::ArgumentUsed { command, argument } => {
                records.others.push(format!("argument {argument} of {command}"));
            }
            Fact::Priced(price) => records.prices.push((price.operation.to_string(), price.estimate, price.usd)),
            Fact::CostAlert { operation, reason, .. } => {
                records.cost_alerts.push((operation.to_string(), (*reason).to_owned()));
            }
            Fact::Queried { query_type, .. } => records.others.push(format!("queried {query_type}")),
            Fact::DatasetOperation { operation_type, dataset } => {
                records.others.push(format!("{operation_type} on {dataset}"));
            }
            Fact::HealthChecked { check, status, .. } => {
                records.health.push((check.to_string(), (*status).to_owned()));
            }
            Fact::QualityChecked { check, status, .. } => {
                records.quality.push((check.to_string(), (*status).to_owned()));
            }
        }
    }

    fn flush(&self, _: Instant) -> Result<Flushed, FlushError> {
        Ok(Flushed::Nothing)
    }
}

/// Whether a logger is one of the crates that carry requests. What they say of each connection differs from run to run.
fn is_of_transport(logger: &str) -> bool {
    let of_crate = logger.split("::").next().unwrap_or_default();
    matches!(
        of_crate,
        "h2" | "hyper"
            | "hyper_util"
            | "hyper_rustls"
            | "mio"
            | "reqwest"
            | "rustls"
            | "tonic"
            | "tower"
            | "ureq"
            | "want"
    )
}

/// The spans of a trace, its first one last.
fn spans(recorded: &RecordedTrace) -> Vec<SpanRecord> {
    let all = || recorded.spans.iter().chain([&recorded.span]);
    let trace_id = recorded.root.trace.trace_id().to_string();
    let record = |span: &Span| {
        let details = span.details.as_deref();
        let fields = details.into_iter().flat_map(|details| &details.fields);
        SpanRecord {
            name: span.name.to_string(),
            op: span.op,
            trace_id: trace_id.clone(),
            span_id: format!("{:016x}", span.id),
            parent: all().find(|other| other.id == span.parent).map(|parent| parent.name.to_string()),
            outcome: span.outcome,
            duration: span.ended.duration_since(span.begun).unwrap_or_default(),
            failure: details.and_then(|details| details.failure.as_ref()).map(FailureFacts::to_static),
            fields: fields.map(|field| (field.name.to_string(), field.value.to_string())).collect(),
        }
    };
    all().map(record).collect()
}

fn reported(event: &Event<'_>, report: &Report<'_>) -> ErrorRecord {
    let place = report.place.as_ref().map(|place| format!(" at {place}")).unwrap_or_default();
    let messages = || report.causes.iter().map(|cause| format!("{}{place}", cause.message));
    let fields = report.all_layers().flat_map(|layer| &layer.fields).chain(&event.fields);
    ErrorRecord {
        event_id: report.id.to_string(),
        operation: report.operation.to_string(),
        level: event.level,
        failure: FailureFacts {
            error_type: report.error_type.to_string().into(),
            message: messages().next().unwrap_or_default().into(),
            sources: messages().skip(1).map(Into::into).collect(),
        },
        panic: report.kind == ReportKind::Panic,
        scope: scope(event),
        fields: fields.map(|field| (field.name.to_string(), field.value.to_string())).collect(),
        layers: report.layers.iter().map(|layer| layer.name.to_string()).collect(),
    }
}

fn scope(event: &Event<'_>) -> ScopeRecord {
    let scope = &event.context;
    ScopeRecord {
        correlation_id: scope.correlation_id.as_deref().map(str::to_owned),
        user: scope.user.as_deref().map(str::to_owned),
        operation: scope.operation.as_deref().map(str::to_owned),
        trace_id: scope.trace.map(|trace| trace.trace_id().to_string()),
        spans: scope
            .spans
            .redacted()
            .map_or_else(Vec::new, |spans| spans.spans.iter().map(|span| span.name.to_owned()).collect()),
        fields: event.context_fields().map(|field| (field.name.to_string(), field.value.to_string())).collect(),
    }
}
