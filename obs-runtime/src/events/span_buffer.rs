//! Collects the spans of a recorded trace.

#[cfg(feature = "otlp")]
use std::collections::HashMap;
#[cfg(not(feature = "otlp"))]
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
#[cfg(feature = "otlp")]
use crate::events::program_spans::ProgramSpans;
#[cfg(feature = "otlp")]
use crate::events::span::Elsewhere;
use crate::events::span::{RecordedTrace, Sampling, Span, TraceRoot};
#[cfg(feature = "otlp")]
use crate::events::span_event::{SpanEvent, SpanEvents};
use crate::events::span_groups::{Candidate, SpanGroups};
use crate::events::span_merging::{merged, without_repetitions};

/// How many traces are being recorded, and what else has calls look for one.
static RECORDING: AtomicUsize = AtomicUsize::new(0);

/// The most events of the spans of a trace.
#[cfg(feature = "otlp")]
const MAX_EVENTS: usize = 1000;

/// Whether calls may be part of a recorded trace.
#[inline]
pub fn any() -> bool {
    RECORDING.load(Ordering::Relaxed) > 0
}

/// While it lives, [`any`] is true.
#[derive(Debug)]
pub struct Recording(());

impl Recording {
    /// Has calls look for a recorded trace.
    #[must_use = "calls look for a trace while it lives"]
    pub fn begin() -> Self {
        RECORDING.fetch_add(1, Ordering::Relaxed);
        Self(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        RECORDING.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Collects the spans of a recorded trace, between the beginning and the end of its first one.
#[derive(Debug)]
pub struct SpanBuffer {
    root: TraceRoot,
    link: Option<TraceContext>,
    state: Option<TraceState>,
    sampling: Sampling,
    has_ended: AtomicBool,
    spans: Mutex<Spans>,
    #[cfg(feature = "otlp")]
    program: ProgramSpans,
}

#[derive(Debug, Default)]
struct Spans {
    kept: Vec<Span>,
    /// Events of spans that have not ended.
    #[cfg(feature = "otlp")]
    events: HashMap<u64, SpanEvents>,
    /// How many events there were.
    #[cfg(feature = "otlp")]
    event_count: usize,
    groups: SpanGroups,
    /// `None` once the first span has ended.
    recording: Option<Recording>,
}

impl SpanBuffer {
    /// Begins to collect the spans of a trace.
    #[must_use]
    pub fn begin(root: TraceRoot, link: Option<TraceContext>, state: Option<TraceState>, sampling: Sampling) -> Self {
        let spans = Spans { recording: Some(Recording::begin()), ..Spans::default() };
        Self {
            root,
            link,
            state,
            sampling,
            has_ended: AtomicBool::new(false),
            spans: Mutex::new(spans),
            #[cfg(feature = "otlp")]
            program: ProgramSpans::default(),
        }
    }

    /// The same, if the program's tracer provider has begun the first span.
    #[cfg(feature = "otlp")]
    #[must_use]
    pub fn with_program(self, program: ProgramSpans) -> Self {
        Self { program, ..self }
    }

    /// The spans that a tracer of the program exports.
    #[cfg(feature = "otlp")]
    pub const fn program(&self) -> &ProgramSpans {
        &self.program
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The trace and its first span.
    pub const fn trace(&self) -> TraceContext {
        self.root.trace
    }

    /// Whether the first span has ended.
    pub fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Relaxed)
    }

    /// Adds an event to a span that has not ended. Beyond the limits it is counted.
    #[cfg(feature = "otlp")]
    pub fn add_event(&self, id: u64, event: impl FnOnce() -> SpanEvent) {
        let is_kept = |spans: &mut Spans| {
            let has_room = spans.event_count < MAX_EVENTS;
            let events = spans.events.entry(id).or_default();
            if has_room && events.has_room() {
                spans.event_count += 1;
                return true;
            }
            events.dropped = events.dropped.saturating_add(1);
            false
        };
        if is_kept(&mut self.spans()) {
            // Formatted without the lock: a value's `Debug` may log.
            let event = event();
            self.spans().events.entry(id).or_default().kept.push(event);
        }
    }

    /// Adds a span that has ended. Returns what is to be exported now: the span as a trace of its own, which has the ids of this one, if
    /// the first one has ended before; and the span for the program's tracer, if that has begun it.
    pub fn add(
        &self,
        #[cfg_attr(not(feature = "otlp"), expect(unused_mut, reason = "it has no events"))] mut span: Span,
    ) -> Vec<RecordedTrace> {
        let mut exported = Vec::new();
        let mut spans = self.spans();
        #[cfg(feature = "otlp")]
        {
            spans.take_events(&mut span);
            exported.extend(self.for_program(&span));
        }
        if spans.recording.is_none() {
            drop(spans);
            let late = self.alone(span);
            exported.extend(self.is_exported(&late).then_some(late));
            return exported;
        }
        let Span { id, parent, ref name, op, attribute, begun, ended, outcome, .. } = span;
        if spans.groups.keeps(&Candidate { id, parent, name, op, attribute, begun, ended, outcome }) {
            spans.kept.push(span);
        }
        exported
    }

    /// A span of the trace as a trace of its own.
    fn alone(&self, span: Span) -> RecordedTrace {
        let trace = self.root.trace;
        let (of_span, parent) = (trace.with_span(span.id), trace.with_span(span.parent));
        RecordedTrace {
            root: TraceRoot { decision: self.root.decision, ..TraceRoot::new(of_span, Some(parent)) },
            link: None,
            state: self.state.clone(),
            span,
            spans: Vec::new(),
            left_out: 0,
            #[cfg(feature = "otlp")]
            elsewhere: Elsewhere { ids: self.program.ids(), begun: None },
        }
    }

    /// A span that has ended, for the program's tracer, if that has begun it.
    #[cfg(feature = "otlp")]
    fn for_program(&self, span: &Span) -> Option<RecordedTrace> {
        let (program, span) = self.program.end(span)?;
        Some(RecordedTrace {
            elsewhere: Elsewhere { begun: Some(program), ..Elsewhere::default() },
            ..self.alone(span)
        })
    }

    /// Ends the trace in this process by its first span, which gets its ids here. Returns what is to be exported, the first time.
    pub fn end(&self, first: Span) -> Vec<RecordedTrace> {
        let mut exported = Vec::new();
        let mut spans = self.spans();
        let Some(recording) = spans.recording.take() else { return exported };
        drop(recording);
        self.has_ended.store(true, Ordering::Relaxed);
        let parent = self.root.caller.map_or(0, |caller| caller.span());
        let mut root = Span { id: self.root.trace.span(), parent, ..first };
        #[cfg(feature = "otlp")]
        {
            spans.take_events(&mut root);
            exported.extend(self.for_program(&root));
        }
        let left_out = spans.groups.left_out;
        let mut all = std::mem::take(&mut spans.kept);
        let (groups, stand_ins) = spans.groups.take();
        drop(spans);
        for span in &mut all {
            span.parent = stand_ins.get(&span.parent).copied().unwrap_or(span.parent);
        }
        all.extend(without_repetitions(groups));
        #[cfg(feature = "otlp")]
        let elsewhere = self.program.ids();
        #[cfg(not(feature = "otlp"))]
        let elsewhere = HashSet::new();
        let spans = merged(&mut root, all, &elsewhere);
        let recorded = RecordedTrace {
            root: self.root,
            link: self.link,
            state: self.state.clone(),
            span: root,
            spans,
            left_out,
            #[cfg(feature = "otlp")]
            elsewhere: Elsewhere { ids: elsewhere, begun: None },
        };
        exported.extend(self.is_exported(&recorded).then_some(recorded));
        exported
    }

    fn is_exported(&self, recorded: &RecordedTrace) -> bool {
        match self.sampling {
            Sampling::Yes => true,
            Sampling::IfFailed => recorded.has_failed(),
            Sampling::No => false,
        }
    }
}

#[cfg(feature = "otlp")]
impl Spans {
    /// Moves the events of a span that has ended to the span.
    fn take_events(&mut self, span: &mut Span) {
        // Most traces have none, and `remove` hashes the id all the same.
        if !self.events.is_empty()
            && let Some(events) = self.events.remove(&span.id)
        {
            span.details.get_or_insert_default().events.merge(events);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::outcome::Outcome;
    use crate::events::span_groups::{MAX_OF_OPERATION, MAX_SPANS};
    use crate::events::span_merging::tests::span;

    fn buffer() -> SpanBuffer {
        let root = TraceRoot { is_command: true, ..TraceRoot::new(TraceContext::begin(None), None) };
        SpanBuffer::begin(root, None, None, Sampling::Yes)
    }

    fn end(buffer: &SpanBuffer, outcome: Outcome) -> Option<RecordedTrace> {
        buffer.end(Span { op: "command", outcome, ..span(0, 0, "job", "tracked_command") }).pop()
    }

    #[test]
    fn a_command_gives_its_spans_once_and_one_operation_leaves_room_for_the_others() {
        let buffer = buffer();
        assert!(any());
        let calls = 1300_u64;
        for call in 0..calls {
            let (hot, inner) = (2 * call + 1, 2 * call + 2);
            buffer.add(span(inner, hot, "inner", "track_performance"));
            buffer.add(span(hot, 5000, "hot", "track_performance"));
        }
        buffer.add(span(5000, 0, "load", "track_performance"));
        let trace = end(&buffer, Outcome::Ok).unwrap();
        let of = |name: &str| trace.spans.iter().filter(|span| span.name == name).collect::<Vec<_>>();
        let kept = MAX_OF_OPERATION as u64;
        for name in ["hot", "inner"] {
            let (last, single) = of(name).split_last().map(|(last, single)| (*last, single.len())).unwrap();
            assert_eq!((single, last.calls), (MAX_OF_OPERATION, Some((calls - kept, Duration::ZERO))), "{name}");
        }
        assert_eq!((of("load").len(), of("hot")[MAX_OF_OPERATION].parent, trace.left_out), (1, 5000, 0));
        let late = buffer.add(span(1, 7, "late", "track_performance")).pop().unwrap();
        assert!(
            late.root.trace.is_of_same_trace(&trace.root.trace)
                && late.root.caller.map(|caller| caller.span()) == Some(7)
        );
        assert!(end(&buffer, Outcome::Ok).is_none());
    }

    #[test]
    fn children_of_a_grouped_span_are_below_the_one_that_stands_for_it() {
        let buffer = buffer();
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
        let trace = end(&buffer, Outcome::Ok).unwrap();
        let rare = trace.spans.iter().find(|span| span.name == "rare").unwrap();
        let parent = trace.spans.iter().find(|span| span.id == rare.parent).unwrap();
        assert_eq!((&*parent.name, parent.calls.map(|calls| calls.0)), ("hot", Some(MAX_OF_OPERATION as u64 + 1)));
        let twice: Vec<_> = trace.spans.iter().filter(|span| span.name == "twice").collect();
        assert_eq!((twice.len(), twice.iter().filter(|span| span.calls.is_some()).count()), (MAX_OF_OPERATION + 1, 1));
    }

    #[test]
    fn operations_past_their_limit_are_counted() {
        let buffer = buffer();
        for id in 1..=2000_u64 {
            let span = Span { name: format!("operation {id}").into(), ..span(id, 0, "", "track_performance") };
            buffer.add(span);
        }
        let trace = end(&buffer, Outcome::Ok).unwrap();
        assert_eq!((trace.spans.len(), trace.left_out), (MAX_SPANS + 200, 800));
    }

    #[test]
    fn a_trace_that_is_kept_for_its_errors_is_exported_if_it_fails() {
        for (outcome, exported) in
            [(Outcome::Ok, false), (Outcome::Cancelled, false), (Outcome::Error, true), (Outcome::Panic, true)]
        {
            let root = TraceRoot { is_command: true, ..TraceRoot::new(TraceContext::begin(None), None) };
            let buffer = SpanBuffer::begin(root, None, None, Sampling::IfFailed);
            assert_eq!(end(&buffer, outcome).is_some(), exported, "{outcome:?}");
        }
    }
}
