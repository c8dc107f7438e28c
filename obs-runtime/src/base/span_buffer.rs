//! The spans of sampled commands: one for each call and each query.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;

/// Most spans of one command; further ones are counted only.
const MAX_SPANS: usize = 1000;

/// How many sampled commands are running.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// The id of the innermost span that runs here; 0 for the command itself.
    static CURRENT: Cell<u64> = const { Cell::new(0) };
}

/// Whether a sampled command is running.
#[inline]
pub fn any() -> bool {
    RUNNING.load(Ordering::Relaxed) > 0
}

/// The id of the span that runs here; 0 for the command itself.
#[must_use]
pub fn current() -> u64 {
    CURRENT.get()
}

/// Makes this the current span until the guard is dropped.
#[must_use = "the span is left when the guard is dropped"]
pub fn enter(id: u64) -> SpanGuard {
    SpanGuard { previous: CURRENT.replace(id) }
}

/// Makes a span of another task or thread the current one where none is.
#[must_use = "the span is left when the guard is dropped"]
pub fn inherit(id: u64) -> Option<SpanGuard> {
    (id != 0 && current() == 0).then(|| enter(id))
}

/// Leaves a span when it is dropped.
#[derive(Debug)]
pub struct SpanGuard {
    previous: u64,
}

impl Drop for SpanGuard {
    fn drop(&mut self) {
        CURRENT.set(self.previous);
    }
}

/// A span that has begun.
#[derive(Debug)]
pub struct OpenSpan {
    /// Its id.
    pub id: u64,
    /// The span in which it began; 0 for the command itself.
    pub parent: u64,
    /// When it began.
    pub begun: SystemTime,
    /// While it is the current span of its thread; a future enters it for each poll instead.
    pub inside: Option<SpanGuard>,
}

impl OpenSpan {
    /// Begins a span and makes it the current one.
    #[must_use]
    pub fn begin() -> Self {
        let (id, parent) = (fresh_id(), current());
        Self { id, parent, begun: SystemTime::now(), inside: Some(enter(id)) }
    }
}

/// An id for a span.
#[must_use]
pub fn fresh_id() -> u64 {
    let (_, random) = uuid::Uuid::now_v7().as_u64_pair();
    random
}

/// A call, a query, or a nested command, from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// Unique in its command; never 0.
    pub id: u64,
    /// The span in which it began; 0 for the command itself.
    pub parent: u64,
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is: `function`, `command` or `db.query`.
    pub op: &'static str,
    /// The attribute that it comes from. Several on one function are one span.
    pub attribute: &'static str,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
}

/// The spans of a command that has ended.
#[derive(Clone, Debug)]
pub struct CommandTrace {
    /// Its trace, and its own span in it.
    pub trace: TraceContext,
    /// The remote span that it ran for.
    pub caller: Option<TraceContext>,
    /// The command.
    pub name: Cow<'static, str>,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
    /// Its spans in the order of their ends.
    pub spans: Vec<Span>,
    /// How many further spans there were.
    pub left_out: u64,
}

/// Collects the spans of a sampled command.
#[derive(Debug)]
pub struct SpanBuffer {
    trace: TraceContext,
    caller: Option<TraceContext>,
    spans: Mutex<Spans>,
}

#[derive(Debug, Default)]
struct Spans {
    ended: Vec<Span>,
    left_out: u64,
    /// Whether the command has ended.
    closed: bool,
}

impl SpanBuffer {
    /// Begins to collect the spans of a command, which is itself that span of its trace.
    #[must_use]
    pub fn begin(trace: TraceContext, caller: Option<TraceContext>) -> Self {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self { trace, caller, spans: Mutex::default() }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a span that has ended.
    pub fn add(&self, span: Span) {
        let mut spans = self.spans();
        if spans.closed {
            return;
        }
        if spans.ended.len() < MAX_SPANS {
            spans.ended.push(span);
        } else {
            spans.left_out += 1;
        }
    }

    /// Ends the command. Returns its spans the first time.
    pub fn end(&self, name: Cow<'static, str>, begun: SystemTime, outcome: Outcome) -> Option<CommandTrace> {
        let mut spans = self.spans();
        if std::mem::replace(&mut spans.closed, true) {
            return None;
        }
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        let (trace, caller) = (self.trace, self.caller);
        let left_out = spans.left_out;
        let spans = merged(&name, &std::mem::take(&mut spans.ended));
        Some(CommandTrace { trace, caller, name, begun, ended: SystemTime::now(), outcome, spans, left_out })
    }
}

impl Drop for SpanBuffer {
    fn drop(&mut self) {
        if !self.spans().closed {
            RUNNING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Merges the spans of several attributes on one function, and gives those whose parent was left out to the command.
fn merged(run: &str, spans: &[Span]) -> Vec<Span> {
    let by_id: HashMap<u64, &Span> = spans.iter().map(|span| (span.id, span)).collect();
    // A command's name is that of its function, with hyphens.
    let is_one = |one: &str, other: &str| one == other || one.replace('-', "_") == other.replace('-', "_");
    let is_of_parent = |span: &Span| match by_id.get(&span.parent) {
        Some(parent) => parent.attribute != span.attribute && is_one(&parent.name, &span.name),
        None => span.parent == 0 && span.op == "function" && is_one(run, &span.name),
    };
    let merged_into: HashMap<u64, u64> =
        spans.iter().filter(|span| is_of_parent(span)).map(|span| (span.id, span.parent)).collect();
    let parent = |mut id: u64| {
        // This ends: a parent begins before its children.
        while let Some(outer) = merged_into.get(&id) {
            id = *outer;
        }
        if by_id.contains_key(&id) { id } else { 0 }
    };
    let parents: Vec<u64> = spans.iter().map(|span| parent(span.parent)).collect();
    let kept = spans.iter().zip(parents).filter(|(span, _)| !merged_into.contains_key(&span.id));
    kept.map(|(span, parent)| Span { parent, ..span.clone() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn span(id: u64, parent: u64, name: &'static str, attribute: &'static str) -> Span {
        let (begun, ended) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
        Span { id, parent, name: name.into(), op: "function", attribute, begun, ended, outcome: Outcome::Ok }
    }

    #[test]
    fn attributes_of_one_function_are_one_span_and_recursion_is_not() {
        let spans = vec![
            span(4, 3, "query", "query"),
            span(3, 2, "load", "track_performance"),
            span(6, 5, "load", "track_performance"),
            span(5, 2, "load", "track_performance"),
            span(2, 1, "load", "with_error_tracking"),
            span(7, 99, "lost", "track_performance"),
            span(9, 8, "query", "query"),
            span(8, 0, "nightly_load", "bq_cost"),
        ];
        let merged: Vec<_> = merged("nightly-load", &spans).iter().map(|span| (span.id, span.parent)).collect();
        // 3 and 5 are a part of 2; 7 and 9 lost their parents.
        assert_eq!(merged, [(4, 2), (6, 2), (2, 0), (7, 0), (9, 0)]);
    }

    #[test]
    fn a_command_gives_its_spans_once_and_keeps_no_more_than_the_limit() {
        let buffer = SpanBuffer::begin(TraceContext::begin(None), None);
        assert!(any());
        for id in 1..=2 + MAX_SPANS as u64 {
            buffer.add(span(id, 0, "load", "track_performance"));
        }
        let end = || buffer.end("job".into(), SystemTime::UNIX_EPOCH, Outcome::Ok);
        let trace = end().unwrap();
        assert_eq!((trace.spans.len(), trace.left_out), (MAX_SPANS, 2));
        buffer.add(span(1, 0, "late", "track_performance"));
        assert!(end().is_none());
    }
}
