//! The event vocabulary. Features create events, and exporters receive them redacted; nothing else passes between the two.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;
use crate::events::command_run::CommandRun;
use crate::events::event_id::EventId;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Field, Text};
use crate::events::log_span::{EventSpans, SpanField};
use crate::events::report::Report;
use crate::events::span::RecordedTrace;
use crate::events::user::Contact;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};

/// The field of a line of obs itself that names the entry in the chapter on troubleshooting.
pub const HELP: &str = "help";

/// The operation of an event that happened outside of any operation, as in the label `operation`.
pub const UNKNOWN_OPERATION: &str = "unknown";

/// Something that happened.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Time of the event.
    pub time: SystemTime,
    /// Severity.
    pub level: Level,
    /// Location in the user's code; for a line of another library, the location that it gives.
    pub source: Source<'a>,
    /// The context that the event happened in.
    pub context: EventContext<'a>,
    /// What happened.
    pub fact: Fact<'a>,
    /// Fields of the event itself: arguments, tags, error context, fields of a log line.
    pub fields: Vec<Field<'a>>,
    /// Tags that become labels of metrics.
    pub tags: Tags,
}

impl Event<'_> {
    /// The fields of its spans, redacted, with their indices: those that neither a field of the event nor an inner field of the
    /// context hides.
    pub fn span_fields(&self) -> impl Iterator<Item = (usize, &Field<'static>)> {
        let spans = self.context.spans.redacted().into_iter();
        let fields = spans.flat_map(|spans| spans.fields.iter().enumerate());
        fields.filter(|(_, field)| !self.hides(field)).map(|(index, SpanField { field, serial: _ })| (index, field))
    }

    fn hides(&self, SpanField { field, serial }: &SpanField) -> bool {
        let mut inner = self.context.fields.iter().zip(self.context.field_serials);
        self.fields.iter().any(|own| own.name == field.name)
            || inner.any(|(other, set_in)| set_in >= serial && other.name == field.name)
    }

    /// The fields of its context that no field of an inner span hides.
    pub fn context_fields(&self) -> impl Iterator<Item = &Field<'static>> {
        let spans = self.context.spans.redacted();
        let serials = self.context.field_serials.iter().copied().chain(std::iter::repeat(u64::MAX));
        let hides = move |field: &Field<'_>, set_in: u64| {
            spans
                .is_some_and(|spans| spans.fields.iter().any(|one| one.serial > set_in && one.field.name == field.name))
        };
        let fields = self.context.fields.iter().zip(serials);
        fields.filter(move |(field, set_in)| !hides(field, *set_in)).map(|(field, _)| field)
    }
}

/// Fields and tags of an event.
#[derive(Clone, Debug, Default)]
pub struct Details<'a> {
    /// Fields, including the tags.
    pub fields: Vec<Field<'a>>,
    /// Tags that become labels of metrics.
    pub tags: Tags,
}

/// The source location of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Source<'a> {
    /// The logger's name: a module path, or the target of a log line.
    pub logger: Text<'a>,
    /// Module path.
    pub module: Option<Text<'a>>,
    /// Source file.
    pub file: Option<Text<'a>>,
    /// Line number, from 1.
    pub line: Option<u32>,
}

/// The context of an event.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventContext<'a> {
    /// Id shared by all events of a run or request.
    pub correlation_id: Option<Text<'a>>,
    /// The id of the user on whose behalf the program acts.
    pub user: Option<Text<'a>>,
    /// What else the program wants Sentry to know of the user. It is not redacted.
    pub contact: Option<Arc<Contact>>,
    /// The current operation.
    pub operation: Option<Text<'a>>,
    /// The current trace.
    pub trace: Option<TraceContext>,
    /// Further fields of the context.
    pub fields: Cow<'a, [Field<'static>]>,
    /// For each of them, the serial number of the span in which it was set: it hides fields of that span and of those around it.
    pub field_serials: &'a [u64],
    /// The spans of `tracing`.
    pub spans: EventSpans,
    /// Tags of error events.
    pub tags: Cow<'a, [Field<'static>]>,
    /// The level of error events, if it is not their own.
    pub level: Option<Level>,
}

/// What happened.
#[derive(Clone, Debug)]
pub enum Fact<'a> {
    /// The program or a library wrote a log line.
    Log {
        /// The message.
        message: Text<'a>,
    },
    /// A call of an annotated function started.
    Started {
        /// The function.
        call: CallInfo,
        /// Names of the recorded arguments that have a value.
        arguments: Vec<&'static str>,
    },
    /// A call of an annotated function ended.
    Finished {
        /// The function.
        call: CallInfo,
        /// How it ended.
        outcome: Outcome,
        /// Duration of the call.
        duration: Duration,
        /// The error or panic, unless the call succeeded.
        failure: Option<FailureFacts<'a>>,
        /// The exit code of a command: what the program would return if the command were its main function.
        exit_code: Option<u8>,
    },
    /// An annotated function captured an error or a panic. An error that passes several functions is logged once at its
    /// severity, then at debug level.
    Captured {
        /// The operation that failed.
        operation: Text<'a>,
        /// The error or panic.
        failure: FailureFacts<'a>,
        /// Whether it was a panic.
        panic: bool,
    },
    /// An error, a panic or a message with everything known about it, once, for error trackers.
    Reported(Box<Report<'a>>),
    /// A recorded trace ended: its spans.
    Traced(Box<RecordedTrace>),
    /// The program recorded a breadcrumb.
    Breadcrumb {
        /// The category, such as `http` or `query`.
        category: Text<'a>,
        /// The message.
        message: Text<'a>,
    },
    /// The program used a feature.
    FeatureUsed {
        /// The feature's name.
        feature: Text<'a>,
    },
    /// A command was given an argument.
    #[cfg_attr(not(feature = "cli"), allow(dead_code, reason = "a parser of command lines tells it"))]
    ArgumentUsed {
        /// The command's name.
        command: Text<'a>,
        /// The argument's name.
        argument: Text<'a>,
    },
    /// The cost of a query or of an operation is known, estimated or actual.
    Priced(Price<'a>),
    /// A cost exceeded a threshold, or a query was refused because of its cost.
    CostAlert {
        /// The operation.
        operation: Text<'a>,
        /// Cost in US dollars.
        usd: f64,
        /// The threshold or limit in US dollars; none for a budget that is not defined or cannot be read.
        threshold_usd: Option<f64>,
        /// `threshold`, `limit`, `budget`, `budget_undefined` or `budget_unavailable`.
        reason: &'static str,
        /// The name of the budget.
        budget: Option<Text<'a>>,
        /// Why a query was refused; none for a threshold, which refuses nothing.
        refusal: Option<Text<'a>>,
    },
    /// A query ran.
    Queried {
        /// The `query_type` label.
        query_type: Text<'a>,
        /// Duration of the query.
        duration: Option<Duration>,
        /// Bytes processed.
        bytes_processed: u64,
        /// Rows returned.
        rows: Option<u64>,
        /// Slot time.
        slot_time: Option<Duration>,
        /// Whether the result came from the cache.
        cache_hit: bool,
    },
    /// An operation on a data set.
    DatasetOperation {
        /// The kind of operation, such as `load` or `export`.
        operation_type: Text<'a>,
        /// The data set.
        dataset: Text<'a>,
    },
    /// A health check ran.
    HealthChecked {
        /// Name of the check.
        check: Text<'a>,
        /// `healthy`, `degraded`, `unhealthy` or `skipped`.
        status: &'static str,
        /// 1, 0.5 or 0; `None` if skipped.
        score: Option<f64>,
        /// Duration of the check; `None` if skipped.
        duration: Option<Duration>,
        /// Message of the check.
        message: Option<Text<'a>>,
    },
    /// A data-quality check ran.
    QualityChecked {
        /// Name of the check.
        check: Text<'a>,
        /// The data set; empty if the check names none.
        dataset: Text<'a>,
        /// `passed`, `warned`, `failed` or `errored`.
        status: &'static str,
        /// `info`, `warning` or `critical`.
        severity: &'static str,
        /// The measured value.
        value: Option<f64>,
        /// Duration of the check; `None` for a result that the program reported itself.
        duration: Option<Duration>,
        /// Message of the check.
        message: Option<Text<'a>>,
    },
}

/// The call that an event is about.
#[derive(Clone, Debug)]
pub struct CallInfo {
    /// The attribute, or the one that corresponds to the function that the program called.
    pub kind: CallsiteKind,
    /// Name of the operation or command.
    pub name: Cow<'static, str>,
    /// The run of a command.
    pub run: Option<Arc<CommandRun>>,
    /// Id of the error event that the call ended with, if any.
    pub event: Option<EventId>,
}

impl CallInfo {
    pub(crate) fn of(callsite: &'static Callsite) -> Self {
        Self { kind: callsite.kind(), name: Cow::Borrowed(callsite.name()), run: None, event: None }
    }
}

/// The cost of an operation's queries.
#[derive(Clone, Debug, PartialEq)]
pub struct Price<'a> {
    /// The operation.
    pub operation: Text<'a>,
    /// True for an estimate, false for the actual cost.
    pub estimate: bool,
    /// Whether the cost is a lower bound: that of slot time in a reservation.
    pub is_lower_bound: bool,
    /// Cost in US dollars.
    pub usd: f64,
    /// Bytes processed.
    pub bytes_processed: u64,
    /// Bytes billed.
    pub bytes_billed: u64,
}
