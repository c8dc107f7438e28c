//! A call as a span of a run that is recorded.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::call_scope::{Frame, Inside};
use crate::base::command_run::Run;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::span_buffer::{Recording, Span};
use crate::context::current::Context;
use crate::events::event::{Details, Fact};
use crate::exporters::interface::Topic;
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::CallsiteKind;
use crate::pipeline::global;

/// A span that has begun.
#[derive(Debug)]
pub struct OpenSpan {
    id: u64,
    parent: u64,
    begun: SystemTime,
    /// What ran here before, where it is put back when the call ends.
    previous: Option<Frame>,
}

/// What is recorded of the run that this code is part of.
fn recording() -> Option<Arc<Recording>> {
    Context::with_current(|context| context.extension::<Run>().and_then(|run| run.recording().cloned()))
}

/// Something that is no call of ours has run in the span of this moment.
pub fn record_query(name: Cow<'static, str>, begun: SystemTime, ended: SystemTime) {
    let Some(recording) = recording() else { return };
    let (id, parent) = (fresh_id(), Frame::current().span);
    let (op, attribute, outcome) = ("db.query", "query", Outcome::Ok);
    recording.add(Span { id, parent, name, op, attribute, begun, ended, outcome });
}

/// An id that no other span has.
fn fresh_id() -> u64 {
    let (_, random) = uuid::Uuid::now_v7().as_u64_pair();
    random
}

impl Call {
    /// The call is a span from now on, if it belongs to a run that is recorded.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_span(&mut self) {
        if recording().is_none() {
            return;
        }
        let current = Frame::current();
        let id = fresh_id();
        // Others are entered by who runs their bodies.
        let is_entered = self.callsite.kind() == CallsiteKind::Operation;
        let previous = is_entered.then(|| current.with_span(id).replace());
        let span = OpenSpan { id, parent: current.span, begun: SystemTime::now(), previous };
        self.entry.get_or_insert_default().span = Some(span);
    }

    /// From now on it is entered while its future is polled only.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_span(&mut self) {
        if let Some(previous) = self.entry.as_mut().and_then(|entry| entry.span.as_mut()?.previous.take()) {
            let _ = previous.replace();
        }
    }

    /// Enters its span, if it has one, until what is given is dropped.
    pub(crate) fn enter_span(&self) -> Option<Inside> {
        let span = self.entry.as_ref()?.span.as_ref()?;
        Some(Frame::current().with_span(span.id).enter())
    }

    /// The frame, while the call's span runs in it.
    pub(super) fn in_span(&self, frame: Frame) -> Frame {
        let span = self.entry.as_ref().and_then(|entry| entry.span.as_ref());
        span.map_or(frame, |span| frame.with_span(span.id))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn end_span(&mut self, outcome: Outcome, nanos: u64) {
        self.leave_span();
        let Some(span) = self.entry.as_mut().and_then(|entry| entry.span.take()) else { return };
        let Some(recording) = recording() else { return };
        let OpenSpan { id, parent, begun, previous: _ } = span;
        let kind = self.callsite.kind();
        recording.add(Span {
            id,
            parent,
            name: Cow::Borrowed(self.callsite.name()),
            op: if kind == CallsiteKind::Command { "command" } else { "function" },
            attribute: kind.as_str(),
            begun,
            ended: begun.checked_add(Duration::from_nanos(nanos)).unwrap_or(begun),
            outcome,
        });
    }

    /// Tells what ran in the outermost command, which has ended.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_trace(&self, outcome: Outcome) {
        let Some(run) = self.entry().and_then(|entry| entry.run.as_ref()).filter(|run| run.is_outermost()) else {
            return;
        };
        let name = Cow::Borrowed(self.callsite.name());
        let recorded = run.recording().and_then(|recording| recording.end(name, run.begun(), outcome));
        if let Some(recorded) = recorded {
            global::emit(Topic::Report, Level::Info, global::source(self.callsite.place()), |_| {
                (Fact::Traced(Box::new(recorded)), Details { fields: Vec::new(), tags: self.tags() })
            });
        }
    }
}
