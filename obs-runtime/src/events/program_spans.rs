//! Which spans of a recorded trace a tracer of the program exports.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use opentelemetry::Context;

use crate::events::program_span::ProgramSpan;
use crate::events::span::{Span, SpanDetails, is_one_function};
use crate::events::span_beginning::{Beginning, fresh_id};

/// Spans of a trace that a tracer of the program exports.
#[derive(Debug, Default)]
pub struct ProgramSpans {
    any: AtomicBool,
    spans: Mutex<Spans>,
}

#[derive(Debug, Default)]
struct Spans {
    first: Option<ProgramSpan>,
    open: HashMap<u64, Open>,
    /// Those that have ended too.
    ids: HashSet<u64>,
}

/// A span that has not ended.
#[derive(Debug)]
struct Open {
    span: ProgramSpan,
    name: Cow<'static, str>,
    op: &'static str,
    attribute: &'static str,
    ends: Ends,
    /// Details of other attributes on the same function.
    merged: Vec<SpanDetails>,
}

#[derive(Clone, Copy, Debug)]
enum Ends {
    /// Obs ends it.
    ByObs,
    /// The program ends it.
    ByProgram,
    /// It is another attribute on the function of that span.
    With(u64),
}

impl ProgramSpans {
    /// Those of a trace whose first span is this one.
    pub fn of_root(root: Option<ProgramSpan>, beginning: Beginning) -> Self {
        let of = Self::default();
        if let Some((root, id)) = root.and_then(|root| root.trace().map(|trace| (root, trace.span()))) {
            of.spans().first = Some(root.clone());
            of.insert(id, root, beginning, Ends::ByObs);
        }
        of
    }

    fn spans(&self) -> MutexGuard<'_, Spans> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn any(&self) -> bool {
        self.any.load(Ordering::Relaxed)
    }

    fn insert(&self, id: u64, span: ProgramSpan, beginning: Beginning, ends: Ends) {
        let Beginning { name, op, attribute, begun: _ } = beginning;
        let mut spans = self.spans();
        spans.ids.insert(id);
        spans.open.insert(id, Open { span, name, op, attribute, ends, merged: Vec::new() });
        self.any.store(true, Ordering::Relaxed);
    }

    /// Begins a span by the program's tracer, if the first one was begun by it. Returns its id.
    pub fn begin(&self, parent: u64, beginning: &Beginning) -> Option<u64> {
        if !self.any() {
            return None;
        }
        let spans = self.spans();
        let first = spans.first.clone()?;
        let outer = spans.open.get(&parent).filter(|outer| {
            let (one, other) = ((&*outer.name, outer.op), (&*beginning.name, beginning.op));
            outer.attribute != beginning.attribute && is_one_function(one, other)
        });
        let merged = outer.map(|outer| {
            let outermost = if let Ends::With(outermost) = outer.ends { outermost } else { parent };
            (outer.span.clone(), Ends::With(outermost), fresh_id())
        });
        let parent = spans.open.get(&parent).map(|open| open.span.clone());
        drop(spans);
        let begin = || {
            let span = parent.and_then(|parent| parent.child(beginning)).or_else(|| first.child(beginning))?;
            let id = span.trace()?.span();
            Some((span, Ends::ByObs, id))
        };
        let (span, ends, id) = merged.or_else(begin)?;
        self.insert(id, span, beginning.clone(), ends);
        Some(id)
    }

    /// Notes a span that the program has begun, and will end, by its context.
    pub fn note(&self, id: u64, context: Context, beginning: Beginning) {
        self.insert(id, ProgramSpan::of_program(context), beginning, Ends::ByProgram);
    }

    /// Notes that the program has begun a span without obs.
    pub fn note_id(&self, id: u64) {
        self.spans().ids.insert(id);
    }

    /// The context of a span that has not ended.
    pub fn context(&self, id: u64) -> Option<Context> {
        self.any().then(|| self.spans().open.get(&id).map(|open| open.span.context().clone())).flatten()
    }

    /// A span has ended. Returns the one that is to be ended with its facts.
    pub fn end(&self, span: &Span) -> Option<(ProgramSpan, Span)> {
        if !self.any() {
            return None;
        }
        let mut spans = self.spans();
        let open = spans.open.remove(&span.id)?;
        match open.ends {
            Ends::ByProgram => None,
            Ends::With(outer) => {
                let details = span.details.as_deref().cloned();
                if let Some((outer, details)) = spans.open.get_mut(&outer).zip(details) {
                    outer.merged.push(details);
                }
                None
            }
            Ends::ByObs => {
                let mut span = span.clone();
                open.merged.into_iter().for_each(|details| span.merge(details));
                Some((open.span, span))
            }
        }
    }

    /// The ids of all.
    pub fn ids(&self) -> HashSet<u64> {
        self.spans().ids.clone()
    }
}
