//! What is recorded of a run that was sampled: a span for each call and each query in it. Of others nothing is.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::base::outcome::Outcome;
use crate::base::trace_context::TraceContext;

/// Most spans of one run; of further ones it is known how many they were.
const MOST: usize = 1000;

/// How many runs are being recorded.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

/// Whether any run is being recorded.
#[inline]
pub fn any() -> bool {
    RUNNING.load(Ordering::Relaxed) > 0
}

/// A call, a query, or a nested command, from its beginning to its end.
#[derive(Clone, Debug, PartialEq)]
pub struct Span {
    /// What tells it from the others of its run; never 0.
    pub id: u64,
    /// The span in which it began; 0 for the run itself.
    pub parent: u64,
    /// Its name.
    pub name: Cow<'static, str>,
    /// What it is: `function`, `command` or `db.query`.
    pub op: &'static str,
    /// Which attribute tells of it. Several on one function are one span.
    pub attribute: &'static str,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
}

/// A run that was recorded.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// Its trace, and its own span in it.
    pub trace: TraceContext,
    /// On behalf of whom it ran.
    pub caller: Option<TraceContext>,
    /// The command.
    pub name: Cow<'static, str>,
    /// When it began.
    pub begun: SystemTime,
    /// When it ended.
    pub ended: SystemTime,
    /// How it ended.
    pub outcome: Outcome,
    /// What ran in it, in the order in which that ended.
    pub spans: Vec<Span>,
    /// How many more spans there were than are told.
    pub left_out: u64,
}

/// A run that is being recorded.
#[derive(Debug)]
pub struct Recording {
    trace: TraceContext,
    caller: Option<TraceContext>,
    spans: Mutex<Spans>,
}

#[derive(Debug, Default)]
struct Spans {
    ended: Vec<Span>,
    left_out: u64,
    /// Whether the run has ended.
    closed: bool,
}

impl Recording {
    /// Begins to record a run, which is that span of its trace, on behalf of a caller or of nobody.
    #[must_use]
    pub fn begin(trace: TraceContext, caller: Option<TraceContext>) -> Self {
        RUNNING.fetch_add(1, Ordering::Relaxed);
        Self { trace, caller, spans: Mutex::default() }
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Something in it has ended.
    pub fn add(&self, span: Span) {
        let mut spans = self.spans();
        if spans.closed {
            return;
        }
        if spans.ended.len() < MOST {
            spans.ended.push(span);
        } else {
            spans.left_out += 1;
        }
    }

    /// The run has ended: what was recorded, once.
    pub fn end(&self, name: Cow<'static, str>, begun: SystemTime, outcome: Outcome) -> Option<Recorded> {
        let mut spans = self.spans();
        if std::mem::replace(&mut spans.closed, true) {
            return None;
        }
        RUNNING.fetch_sub(1, Ordering::Relaxed);
        let (trace, caller) = (self.trace, self.caller);
        let left_out = spans.left_out;
        let spans = tidied(&name, &std::mem::take(&mut spans.ended));
        Some(Recorded { trace, caller, name, begun, ended: SystemTime::now(), outcome, spans, left_out })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.spans().closed {
            RUNNING.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

/// Spans whose parents are among them or the run: several of one call are one, and what a span that was left out enclosed
/// is enclosed by the run.
fn tidied(run: &str, spans: &[Span]) -> Vec<Span> {
    let by_id: HashMap<u64, &Span> = spans.iter().map(|span| (span.id, span)).collect();
    // A command's name is that of its function, with other words between.
    let is_one = |one: &str, other: &str| one == other || one.replace('-', "_") == other.replace('-', "_");
    let is_told_by_parent = |span: &Span| match by_id.get(&span.parent) {
        Some(parent) => parent.attribute != span.attribute && is_one(&parent.name, &span.name),
        None => span.parent == 0 && span.op == "function" && is_one(run, &span.name),
    };
    let told_by: HashMap<u64, u64> =
        spans.iter().filter(|span| is_told_by_parent(span)).map(|span| (span.id, span.parent)).collect();
    let parent = |mut id: u64| {
        // A parent began before what is in it, so that there is no way around in a circle.
        while let Some(outer) = told_by.get(&id) {
            id = *outer;
        }
        if by_id.contains_key(&id) { id } else { 0 }
    };
    let parents: Vec<u64> = spans.iter().map(|span| parent(span.parent)).collect();
    let told = spans.iter().zip(parents).filter(|(span, _)| !told_by.contains_key(&span.id));
    told.map(|(span, parent)| Span { parent, ..span.clone() }).collect()
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
        let told: Vec<_> = tidied("nightly-load", &spans).iter().map(|span| (span.id, span.parent)).collect();
        // 3 and 5 are told by 2; what was in a span that is not there is in the run.
        assert_eq!(told, [(4, 2), (6, 2), (2, 0), (7, 0), (9, 0)]);
    }

    #[test]
    fn a_run_is_told_once_and_holds_no_more_than_it_may() {
        let recording = Recording::begin(TraceContext::begin(None), None);
        assert!(any());
        for id in 1..=2 + MOST as u64 {
            recording.add(span(id, 0, "load", "track_performance"));
        }
        let end = || recording.end("job".into(), SystemTime::UNIX_EPOCH, Outcome::Ok);
        let recorded = end().unwrap();
        assert_eq!((recorded.spans.len(), recorded.left_out), (MOST, 2));
        recording.add(span(1, 0, "late", "track_performance"));
        assert!(end().is_none());
    }
}
