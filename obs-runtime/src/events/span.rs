//! The spans of a trace.

use std::borrow::Cow;
#[cfg(feature = "otlp")]
use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use crate::base::outcome::Outcome;
use crate::base::stack::Stack;
use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Field;
#[cfg(feature = "otlp")]
use crate::events::program_span::ProgramSpan;
use crate::events::span_event::SpanEvents;
use crate::metrics::callsite::SourceLocation;

/// A call, a query, a check or a span of `tracing`, from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Unique in its trace; never 0.
    pub id: u64,
    /// The span in which it began. That of the trace's first span is in another process, or 0.
    pub parent: u64,
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is: `function`, `command`, `operator`, `check`, `db.query` or `span`.
    pub op: &'static str,
    /// The attribute that it comes from. Several on one function are one span.
    pub attribute: &'static str,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
    /// For a span that stands for several calls of one operation: their number and the sum of their durations.
    pub calls: Option<(u64, Duration)>,
    /// The location in the source code.
    pub place: Option<SourceLocation>,
    /// The function at that location, without its module; `None` if it is not known.
    pub function: Option<Cow<'static, str>>,
    /// Its fields, and its error. `None` if there is nothing of that.
    pub details: Option<Box<SpanDetails>>,
}

/// What most spans do not have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanDetails {
    /// Arguments, tags, context and other fields.
    pub fields: Vec<Field<'static>>,
    /// The error or panic by which it ended.
    pub failure: Option<FailureFacts<'static>>,
    /// Where that was captured, if it was captured in this span.
    pub stack: Option<Stack>,
    /// What the program logged inside.
    pub events: SpanEvents,
}

impl SpanDetails {
    /// The details, unless there is nothing in them.
    pub fn of(fields: Vec<Field<'static>>, failure: Option<FailureFacts<'static>>) -> Option<Box<Self>> {
        (!fields.is_empty() || failure.is_some()).then(|| Box::new(Self { fields, failure, ..Self::default() }))
    }
}

impl Span {
    /// Takes over the details of another attribute on the same function.
    pub fn merge(&mut self, other: SpanDetails) {
        let details = self.details.get_or_insert_default();
        for field in other.fields {
            if details.fields.iter().all(|known| known.name != field.name) {
                details.fields.push(field);
            }
        }
        details.failure = details.failure.take().or(other.failure);
        details.stack = details.stack.take().or(other.stack);
        details.events.merge(other.events);
    }
}

/// Whether two spans, by name and `op`, may be one function with several attributes: a command's name is that of its function,
/// with hyphens.
pub fn is_one_function((one, _): (&str, &str), (other, op): (&str, &str)) -> bool {
    matches!(op, "command" | "function") && (one == other || one.replace('-', "_") == other.replace('-', "_"))
}

/// Whether a trace is exported.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sampling {
    /// It is not.
    No,
    /// Only if it fails.
    #[cfg_attr(not(any(feature = "otlp", test)), expect(dead_code, reason = "others do not ask for that"))]
    IfFailed,
    /// It is.
    Yes,
}

/// The beginning of a trace in this process, about which exporters decide whether they want it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceRoot {
    /// The trace, and the first span of this process in it.
    pub trace: TraceContext,
    /// The span that it began for, of another process or before it.
    pub caller: Option<TraceContext>,
    /// Whether the caller is another process.
    pub is_remote: bool,
    /// Whether the first span is that of a command.
    pub is_command: bool,
    /// Whether the first span is that of a request.
    pub is_request: bool,
    /// Whether it is sampled, if the program's tracer provider has decided that.
    pub decision: Option<bool>,
}

impl TraceRoot {
    /// A trace that begins with something that is neither a command nor a request.
    pub const fn new(trace: TraceContext, caller: Option<TraceContext>) -> Self {
        Self { trace, caller, is_remote: false, is_command: false, is_request: false, decision: None }
    }
}

/// The spans of a trace that has ended in this process.
#[derive(Clone, Debug)]
pub struct RecordedTrace {
    /// Its beginning.
    pub root: TraceRoot,
    /// Another trace that it came from.
    pub link: Option<TraceContext>,
    /// What the caller's tracing systems have said of it.
    pub state: Option<TraceState>,
    /// Its first span.
    pub span: Span,
    /// The spans inside in the order of their ends; of each operation the first ones, then one for all others.
    pub spans: Vec<Span>,
    /// How many further spans there were, of operations past their limit.
    #[cfg_attr(
        not(any(test, feature = "otlp", feature = "sentry")),
        expect(dead_code, reason = "no exporter takes traces")
    )]
    pub left_out: u64,
    /// What a tracer of the program exports of it.
    #[cfg(feature = "otlp")]
    pub elsewhere: Elsewhere,
}

/// What a tracer of the program exports of a trace.
#[cfg(feature = "otlp")]
#[derive(Clone, Debug, Default)]
pub struct Elsewhere {
    /// The ids of its spans.
    pub ids: HashSet<u64>,
    /// The span that the program's tracer has begun for the first one, which is to be ended. There are no others then.
    pub begun: Option<ProgramSpan>,
}

impl RecordedTrace {
    /// What an exporter decides about: a trace that came from another one is part of that.
    #[cfg_attr(
        not(any(test, feature = "otlp", feature = "sentry")),
        expect(dead_code, reason = "no exporter takes traces")
    )]
    pub fn decided_by(&self) -> TraceRoot {
        TraceRoot { caller: self.root.caller.or(self.link), ..self.root }
    }

    /// Whether it ended by an error or a panic.
    pub const fn has_failed(&self) -> bool {
        matches!(self.span.outcome, Outcome::Error | Outcome::Panic)
    }
}
