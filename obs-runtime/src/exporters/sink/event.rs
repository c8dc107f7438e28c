//! A redacted event as a [`Sink`](crate::sink::Sink) sees it.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::config::validated::Config;
use crate::events::event::Source;
use crate::events::event_id::EventId;
use crate::events::field::{Field, Value};
use crate::metrics::callsite::Tags;

/// What an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum EventKind {
    /// A log line of the program or a library.
    Log,
    /// A call of an annotated function started.
    CallStarted,
    /// A call of an annotated function ended. See [`RedactedEvent::call`].
    CallFinished,
    /// An error was captured, and has passed its last annotated function. See [`RedactedEvent::failure`].
    Error,
    /// A panic was captured, and has passed its last annotated function. See [`RedactedEvent::failure`].
    Panic,
    /// A message was captured. See [`RedactedEvent::failure`].
    Message,
    /// A breadcrumb was added.
    Breadcrumb,
    /// A feature of the program was used.
    FeatureUsed,
    /// A command was given an argument.
    ArgumentUsed,
    /// The price of a query or of a cost scope is known, estimated or actual.
    Cost,
    /// A price exceeds a threshold, limit or budget.
    CostAlert,
    /// A query ran.
    Query,
    /// An operation on a data set.
    DatasetOperation,
    /// A health check ran.
    HealthCheck,
    /// A data-quality check ran.
    QualityCheck,
}

impl EventKind {
    /// The kind's name in snake case: `log`, `call_finished`, `quality_check`, …
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Log => "log",
            Self::CallStarted => "call_started",
            Self::CallFinished => "call_finished",
            Self::Error => "error",
            Self::Panic => "panic",
            Self::Message => "message",
            Self::Breadcrumb => "breadcrumb",
            Self::FeatureUsed => "feature_used",
            Self::ArgumentUsed => "argument_used",
            Self::Cost => "cost",
            Self::CostAlert => "cost_alert",
            Self::Query => "query",
            Self::DatasetOperation => "dataset_operation",
            Self::HealthCheck => "health_check",
            Self::QualityCheck => "quality_check",
        }
    }
}

/// An event after redaction. [`Sink::accept`](crate::sink::Sink::accept) receives it.
#[derive(Clone, Debug)]
pub struct RedactedEvent {
    pub(super) kind: EventKind,
    pub(super) time: SystemTime,
    pub(super) level: Level,
    pub(super) message: String,
    pub(super) service: Arc<Service>,
    pub(super) source: Source<'static>,
    pub(super) correlation_id: Option<String>,
    pub(super) user: Option<String>,
    pub(super) operation: Option<String>,
    pub(super) trace: Option<(String, String)>,
    pub(super) context_fields: Vec<Field<'static>>,
    pub(super) spans: Vec<&'static str>,
    pub(super) fields: Vec<Field<'static>>,
    pub(super) tags: Tags,
    pub(super) call: Option<SinkCall>,
    pub(super) failure: Option<SinkFailure>,
}

/// What all events of a process have in common.
#[derive(Debug)]
pub(crate) struct Service {
    name: String,
    environment: String,
    version: String,
}

/// The call of an event of the kind [`CallStarted`](EventKind::CallStarted) or [`CallFinished`](EventKind::CallFinished).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SinkCall {
    /// The operation's or command's name.
    pub name: String,
    /// The attribute: `tracked_command`, `track_performance`, …
    pub attribute: &'static str,
    /// How the call ended; `None` while it runs.
    pub outcome: Option<Outcome>,
    /// How long the call took; `None` while it runs.
    pub duration: Option<Duration>,
    /// The exit code of a command that ended.
    pub exit_code: Option<u8>,
    /// The stable kind of the error, if the call failed.
    pub error_type: Option<String>,
    /// The error's message and those of its sources, outermost first.
    pub error_messages: Vec<String>,
}

/// The error, panic or message of an event of one of these kinds. There is one such event for each error, however many
/// annotated functions it passes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct SinkFailure {
    /// The id that also the log, and Sentry if enabled, show.
    pub event_id: EventId,
    /// The operation that failed first.
    pub operation: String,
    /// The stable kind of the error.
    pub error_type: String,
    /// The error's message and those of its sources, outermost first.
    pub messages: Vec<String>,
    /// The annotated functions that the error passed, innermost first.
    pub functions: Vec<String>,
    /// Where a panic happened: `file:line`.
    pub location: Option<String>,
    /// How many similar events were suppressed before this one by the rate limit.
    pub suppressed: u64,
}

impl RedactedEvent {
    /// What the event is about.
    #[must_use]
    pub const fn kind(&self) -> EventKind {
        self.kind
    }

    /// When it happened.
    #[must_use]
    pub const fn time(&self) -> SystemTime {
        self.time
    }

    /// Its level.
    #[must_use]
    pub const fn level(&self) -> Level {
        self.level
    }

    /// What happened in one sentence, as in the log.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The service: `SERVICE_NAME`.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service.name
    }

    /// The environment: `ENVIRONMENT`.
    #[must_use]
    pub fn environment(&self) -> &str {
        &self.service.environment
    }

    /// The program's version.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.service.version
    }

    /// The logger: a module path, or the target of a log line.
    #[must_use]
    pub fn logger(&self) -> &str {
        &self.source.logger
    }

    /// The module path.
    #[must_use]
    pub fn module(&self) -> Option<&str> {
        self.source.module.as_deref()
    }

    /// The source file.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        self.source.file.as_deref()
    }

    /// The line in the source file, from 1.
    #[must_use]
    pub const fn line(&self) -> Option<u32> {
        self.source.line
    }

    /// The correlation id of the context.
    #[must_use]
    pub fn correlation_id(&self) -> Option<&str> {
        self.correlation_id.as_deref()
    }

    /// The user of the context.
    #[must_use]
    pub fn user(&self) -> Option<&str> {
        self.user.as_deref()
    }

    /// The operation of the context.
    #[must_use]
    pub fn operation(&self) -> Option<&str> {
        self.operation.as_deref()
    }

    /// The trace id: 32 hexadecimal digits.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.trace.as_ref().map(|(trace_id, _)| trace_id.as_str())
    }

    /// The span id: 16 hexadecimal digits.
    #[must_use]
    pub fn span_id(&self) -> Option<&str> {
        self.trace.as_ref().map(|(_, span_id)| span_id.as_str())
    }

    /// Further fields of the context.
    pub fn context_fields(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.context_fields.iter().map(|field| (&*field.name, &field.value))
    }

    /// The names of the spans of `tracing` that the event happened in, outermost first. Their fields are among
    /// [`fields`](Self::fields).
    pub fn spans(&self) -> impl Iterator<Item = &str> {
        self.spans.iter().copied()
    }

    /// The event's own fields: what happened, as in the log (`outcome`, `duration_seconds`, `cost_usd`, …), then arguments,
    /// tags, the fields of a log line, and the context of each function that an error passed. A name may occur twice.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &Value<'static>)> {
        self.fields.iter().map(|field| (&*field.name, &field.value))
    }

    /// Metric labels that the program put on the call.
    pub fn tags(&self) -> impl Iterator<Item = (&str, &str)> {
        self.tags.iter().map(|(name, value)| (*name, value.as_str()))
    }

    /// The call that started or ended.
    #[must_use]
    pub const fn call(&self) -> Option<&SinkCall> {
        self.call.as_ref()
    }

    /// The captured error, panic or message.
    #[must_use]
    pub const fn failure(&self) -> Option<&SinkFailure> {
        self.failure.as_ref()
    }
}

impl Service {
    pub(crate) fn new(config: &Config) -> Self {
        Self {
            name: config.service_name.clone(),
            environment: config.environment.clone(),
            version: config.version.clone(),
        }
    }
}
