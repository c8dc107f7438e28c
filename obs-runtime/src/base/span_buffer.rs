//! The spans of sampled commands: one for each call and each query.

use std::borrow::Cow;
use std::cell::Cell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::base::outcome::Outcome;
use crate::base::span_groups::{Candidate, Group, SpanGroups};
use crate::base::trace_context::TraceContext;

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
    /// For a span that stands for several calls of one operation: their number and the sum of their durations.
    pub calls: Option<(u64, Duration)>,
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
    /// Its spans in the order of their ends; of each operation the first ones, then one for all others.
    pub spans: Vec<Span>,
    /// How many further spans there were, of operations past their limit.
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
    kept: Vec<Span>,
    groups: SpanGroups,
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
        let Span { id, parent, ref name, op, attribute, begun, ended, outcome, calls: _ } = span;
        if spans.groups.keeps(&Candidate { id, parent, name, op, attribute, begun, ended, outcome }) {
            spans.kept.push(span);
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
        let left_out = spans.groups.left_out;
        let mut all = std::mem::take(&mut spans.kept);
        let (groups, stand_ins) = spans.groups.take();
        for span in &mut all {
            span.parent = stand_ins.get(&span.parent).copied().unwrap_or(span.parent);
        }
        all.extend(without_repetitions(groups));
        let spans = merged(&name, &all);
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

/// One span for each group. Several attributes on one function have a group each, of which the longest stays.
fn without_repetitions(groups: Vec<((Cow<'static, str>, &'static str), Group)>) -> Vec<Span> {
    let mut spans: Vec<Span> = Vec::with_capacity(groups.len());
    for ((name, attribute), group) in groups {
        let Group { id, parent, op, begun, ended, outcome, calls, total } = group;
        let calls = Some((calls, total));
        let span = Span { id, parent, name, op, attribute, begun, ended, outcome, calls };
        match spans.iter_mut().find(|known| known.name == span.name && known.op == span.op) {
            Some(known) if known.calls >= span.calls => {}
            Some(known) => *known = span,
            None => spans.push(span),
        }
    }
    spans
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
    use crate::base::span_groups::{MAX_OF_OPERATION, MAX_SPANS};

    fn span(id: u64, parent: u64, name: &'static str, attribute: &'static str) -> Span {
        let (begun, ended) = (SystemTime::UNIX_EPOCH, SystemTime::UNIX_EPOCH);
        let (name, op, outcome) = (name.into(), "function", Outcome::Ok);
        Span { id, parent, name, op, attribute, begun, ended, outcome, calls: None }
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
    fn a_command_gives_its_spans_once_and_one_operation_leaves_room_for_the_others() {
        let buffer = SpanBuffer::begin(TraceContext::begin(None), None);
        assert!(any());
        let calls = 1300_u64;
        for call in 0..calls {
            let (hot, inner) = (2 * call + 1, 2 * call + 2);
            buffer.add(span(inner, hot, "inner", "track_performance"));
            buffer.add(span(hot, 5000, "hot", "track_performance"));
        }
        buffer.add(span(5000, 0, "load", "track_performance"));
        let end = || buffer.end("job".into(), SystemTime::UNIX_EPOCH, Outcome::Ok);
        let trace = end().unwrap();
        let of = |name: &str| trace.spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let kept = MAX_OF_OPERATION as u64;
        for name in ["hot", "inner"] {
            let (last, single) = of(name).split_last().map(|(last, single)| (*last, single.len())).unwrap();
            assert_eq!((single, last.calls), (MAX_OF_OPERATION, Some((calls - kept, Duration::ZERO))), "{name}");
        }
        assert_eq!((of("load").len(), of("hot")[MAX_OF_OPERATION].parent, trace.left_out), (1, 5000, 0));
        buffer.add(span(1, 0, "late", "track_performance"));
        assert!(end().is_none());
    }

    #[test]
    fn children_of_a_grouped_span_are_below_the_one_that_stands_for_it() {
        let buffer = SpanBuffer::begin(TraceContext::begin(None), None);
        for id in 1..=2 * MAX_OF_OPERATION as u64 {
            buffer.add(span(id, 0, "hot", "track_performance"));
        }
        buffer.add(span(7001, 7000, "rare", "track_performance"));
        buffer.add(span(7000, 0, "hot", "track_performance"));
        // Each attribute of one function has a group.
        for id in 8000..8000 + 2 * MAX_OF_OPERATION as u64 {
            buffer.add(span(2 * id, 2 * id + 1, "twice", "with_error_tracking"));
            buffer.add(span(2 * id + 1, 0, "twice", "track_performance"));
        }
        let trace = buffer.end("job".into(), SystemTime::UNIX_EPOCH, Outcome::Ok).unwrap();
        let rare = trace.spans.iter().find(|span| span.name == "rare").unwrap();
        let parent = trace.spans.iter().find(|span| span.id == rare.parent).unwrap();
        assert_eq!((&*parent.name, parent.calls.map(|calls| calls.0)), ("hot", Some(MAX_OF_OPERATION as u64 + 1)));
        let twice: Vec<_> = trace.spans.iter().filter(|span| span.name == "twice").collect();
        assert_eq!((twice.len(), twice.iter().filter(|span| span.calls.is_some()).count()), (MAX_OF_OPERATION + 1, 1));
    }

    #[test]
    fn operations_past_their_limit_are_counted() {
        let buffer = SpanBuffer::begin(TraceContext::begin(None), None);
        for id in 1..=2000_u64 {
            let span = Span { name: format!("operation {id}").into(), ..span(id, 0, "", "track_performance") };
            buffer.add(span);
        }
        let trace = buffer.end("job".into(), SystemTime::UNIX_EPOCH, Outcome::Ok).unwrap();
        assert_eq!((trace.spans.len(), trace.left_out), (MAX_SPANS + 200, 800));
    }
}
