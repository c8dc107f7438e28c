//! Assertions about captured events: narrow them down, then say how many there are.

use std::fmt::{self, Debug, Display, Write as _};

use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::exporters::memory::{CallRecord, ErrorRecord, Line, SpanRecord};
use crate::program::testing::capture::Captured;

/// A check that ran: its name and its status. A cost alert: its operation and its reason.
pub type NameAndState = (String, String);

/// A price: the operation, whether it is an estimate, and US dollars.
pub type PriceRecord = (String, bool, f64);

/// How many events a panic message shows.
const MOST_SHOWN: usize = 20;

/// The captured events of one kind that meet all conditions so far.
#[must_use = "nothing is asserted yet"]
#[derive(Clone)]
pub struct Matching<'c, T> {
    /// What is looked for, in words.
    sought: String,
    all: &'c [T],
    found: Vec<&'c T>,
}

impl<R> Captured<R> {
    /// The log lines.
    pub fn logs(&self) -> Matching<'_, Line> {
        Matching::new("log lines", &self.records.logs)
    }

    /// The calls of commands and operations that ended.
    pub fn calls(&self) -> Matching<'_, CallRecord> {
        Matching::new("calls", &self.records.calls)
    }

    /// The errors and panics: each once, however many annotated functions it has passed.
    pub fn errors(&self) -> Matching<'_, ErrorRecord> {
        Matching::new("errors", &self.records.errors)
    }

    /// The messages of [`capture_message`](crate::capture_message).
    pub fn messages(&self) -> Matching<'_, ErrorRecord> {
        Matching::new("messages", &self.records.messages)
    }

    /// The spans that ended, if the configuration has `tracing_enabled`.
    pub fn spans(&self) -> Matching<'_, SpanRecord> {
        let sought = if self.records.spans.is_empty() {
            "spans (the configuration of the capture needs `tracing_enabled`)"
        } else {
            "spans"
        };
        Matching::new(sought, &self.records.spans)
    }

    /// The data-quality checks that ran.
    pub fn checks(&self) -> Matching<'_, NameAndState> {
        Matching::new("data-quality checks", &self.records.quality)
    }

    /// The health checks that ran.
    pub fn health(&self) -> Matching<'_, NameAndState> {
        Matching::new("health checks", &self.records.health)
    }

    /// The prices of queries, estimated and actual.
    pub fn costs(&self) -> Matching<'_, PriceRecord> {
        Matching::new("prices", &self.records.prices)
    }

    /// The cost alerts. A query that was refused is one, with the reason `limit` or `budget`.
    pub fn cost_alerts(&self) -> Matching<'_, NameAndState> {
        Matching::new("cost alerts", &self.records.cost_alerts)
    }
}

impl<'c, T: Debug> Matching<'c, T> {
    fn new(sought: &str, all: &'c [T]) -> Self {
        Self { sought: sought.to_owned(), all, found: all.iter().collect() }
    }

    fn narrow(mut self, condition: impl Display, keep: impl Fn(&T) -> bool) -> Self {
        let _ = write!(self.sought, ", {condition}");
        self.found.retain(|event| keep(event));
        self
    }

    /// Those that meet a condition of your own; its words are part of the panic message.
    pub fn matching(self, condition: &str, keep: impl Fn(&T) -> bool) -> Self {
        self.narrow(condition, keep)
    }

    /// All of them.
    #[must_use]
    pub fn all(self) -> Vec<&'c T> {
        self.found
    }

    /// Asserts how many there are, and returns them.
    ///
    /// # Panics
    /// Panics if there are more or fewer, with those that there are.
    #[track_caller]
    pub fn is(self, count: usize) -> Vec<&'c T> {
        assert!(self.found.len() == count, "expected {count} {self}");
        self.found
    }

    /// Asserts that there is exactly one, and returns it.
    ///
    /// # Panics
    /// Panics if there are more or none, with those that there are.
    #[track_caller]
    pub fn once(self) -> &'c T {
        self.is(1)[0]
    }

    /// Asserts that there are some, and returns them.
    ///
    /// # Panics
    /// Panics if there are none, with all of that kind.
    #[track_caller]
    pub fn exist(self) -> Vec<&'c T> {
        assert!(!self.found.is_empty(), "expected at least one of {self}");
        self.found
    }
}

impl<T: Debug> Display for Matching<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (found, all) = (self.found.len(), self.all.len());
        write!(formatter, "{}: found {found}, of {all} in all", self.sought)?;
        let shown = if self.found.is_empty() { self.all.iter().collect() } else { self.found.clone() };
        for event in shown.iter().take(MOST_SHOWN) {
            write!(formatter, "\n  {event:?}")?;
        }
        match shown.len().saturating_sub(MOST_SHOWN) {
            0 => Ok(()),
            more => write!(formatter, "\n  and {more} more"),
        }
    }
}

impl<T: Debug> Debug for Matching<'_, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        Display::fmt(self, formatter)
    }
}

/// Whether there is a field of that name and value.
fn has(fields: &[(String, String)], name: &str, value: &str) -> bool {
    fields.iter().any(|(known, is)| known == name && is == value)
}

impl Matching<'_, Line> {
    /// At this level.
    pub fn level(self, level: Level) -> Self {
        self.narrow(level, |line| line.level == level)
    }

    /// Whose message contains this.
    pub fn message(self, part: &str) -> Self {
        self.narrow(format_args!("message has {part:?}"), |line| line.message.contains(part))
    }

    /// With a field of the line or of its context.
    pub fn with(self, field: &str, value: impl Display) -> Self {
        let value = value.to_string();
        let keep = |line: &Line| has(&line.fields, field, &value) || has(&line.scope.fields, field, &value);
        self.narrow(format_args!("{field}={value}"), keep)
    }

    /// Within an operation.
    pub fn operation(self, name: &str) -> Self {
        self.narrow(format_args!("operation={name}"), |line| line.scope.operation.as_deref() == Some(name))
    }

    /// With a correlation id.
    pub fn correlation_id(self, id: &str) -> Self {
        self.narrow(format_args!("correlation_id={id}"), |line| line.scope.correlation_id.as_deref() == Some(id))
    }
}

impl Matching<'_, CallRecord> {
    /// Of an operation or a command.
    pub fn name(self, name: &str) -> Self {
        self.narrow(format_args!("name={name}"), |call| call.name == name)
    }

    /// With an outcome.
    pub fn outcome(self, outcome: Outcome) -> Self {
        self.narrow(format_args!("outcome={outcome}"), |call| call.outcome == outcome)
    }

    /// With a recorded argument or a tag.
    pub fn with(self, field: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.narrow(format_args!("{field}={value}"), |call| has(&call.fields, field, &value))
    }
}

impl Matching<'_, ErrorRecord> {
    /// Of the operation that failed first.
    pub fn operation(self, name: &str) -> Self {
        self.narrow(format_args!("operation={name}"), |error| error.operation == name)
    }

    /// Of a type: the label `error_type`.
    pub fn of_type(self, error_type: &str) -> Self {
        self.narrow(format_args!("error_type={error_type}"), |error| error.failure.error_type == error_type)
    }

    /// At this level.
    pub fn level(self, level: Level) -> Self {
        self.narrow(level, |error| error.level == level)
    }

    /// Whose message, or that of one of its sources, contains this.
    pub fn message(self, part: &str) -> Self {
        let keep = |error: &ErrorRecord| {
            let messages = error.failure.sources.iter().chain([&error.failure.message]);
            messages.into_iter().any(|message| message.contains(part))
        };
        self.narrow(format_args!("message has {part:?}"), keep)
    }

    /// With an argument, a tag or a context of the functions that it passed, or of its context.
    pub fn with(self, field: &str, value: impl Display) -> Self {
        let value = value.to_string();
        let keep = |error: &ErrorRecord| has(&error.fields, field, &value) || has(&error.scope.fields, field, &value);
        self.narrow(format_args!("{field}={value}"), keep)
    }

    /// That passed an annotated function.
    pub fn passed(self, function: &str) -> Self {
        self.narrow(format_args!("passed {function}"), |error| error.layers.iter().any(|layer| layer == function))
    }

    /// That are panics.
    pub fn panics(self) -> Self {
        self.narrow("a panic", |error| error.panic)
    }
}

impl Matching<'_, SpanRecord> {
    /// Of this name.
    pub fn name(self, name: &str) -> Self {
        self.narrow(format_args!("name={name}"), |span| span.name == name)
    }

    /// Inside of a span of this name, directly.
    pub fn inside(self, parent: &str) -> Self {
        self.narrow(format_args!("inside {parent}"), |span| span.parent.as_deref() == Some(parent))
    }

    /// With an outcome.
    pub fn outcome(self, outcome: Outcome) -> Self {
        self.narrow(format_args!("outcome={outcome}"), |span| span.outcome == outcome)
    }

    /// With a field.
    pub fn with(self, field: &str, value: impl Display) -> Self {
        let value = value.to_string();
        self.narrow(format_args!("{field}={value}"), |span| has(&span.fields, field, &value))
    }
}

impl Matching<'_, NameAndState> {
    /// Of the check of this name.
    pub fn name(self, name: &str) -> Self {
        self.narrow(format_args!("name={name}"), |(check, _)| check == name)
    }

    /// With a status: `passed`, `warned`, `failed`, `errored` or `skipped` of a data-quality check; `healthy`, `degraded`,
    /// `unhealthy` or `skipped` of a health check.
    pub fn status(self, status: &str) -> Self {
        self.narrow(format_args!("status={status}"), |(_, is)| is == status)
    }

    /// Cost alerts of an operation.
    pub fn operation(self, name: &str) -> Self {
        self.narrow(format_args!("operation={name}"), |(operation, _)| operation == name)
    }

    /// Cost alerts with a reason: `threshold`, `limit` or `budget`.
    pub fn reason(self, reason: &str) -> Self {
        self.narrow(format_args!("reason={reason}"), |(_, is)| is == reason)
    }
}

impl Matching<'_, PriceRecord> {
    /// Of an operation.
    pub fn operation(self, name: &str) -> Self {
        self.narrow(format_args!("operation={name}"), |(operation, ..)| operation == name)
    }

    /// Estimates, known before a query runs.
    pub fn estimates(self) -> Self {
        self.narrow("estimated", |(_, estimate, _)| *estimate)
    }

    /// Actual costs, known after it has run.
    pub fn actual(self) -> Self {
        self.narrow("actual", |(_, estimate, _)| !*estimate)
    }

    /// Asserts the sum in US dollars, to a billionth.
    ///
    /// # Panics
    /// Panics if it is another, with the prices that there are.
    #[track_caller]
    pub fn usd(self, usd: f64) {
        // The sum of nothing is -0.
        let sum = self.found.iter().map(|(.., usd)| usd).sum::<f64>() + 0.0;
        assert!((sum - usd).abs() < 1e-9, "expected {usd} US dollars, found {sum}: {self}");
    }
}
