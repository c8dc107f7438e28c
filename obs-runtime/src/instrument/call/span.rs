//! A call as a span of a sampled command.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::base::command_run::CommandRun;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::span_buffer::{self, OpenSpan, Span, SpanBuffer, SpanGuard};
use crate::context::current::Context;
use crate::events::event::{Details, Fact};
use crate::exporters::interface::Topic;
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::CallsiteKind;
use crate::pipeline::global;

/// The spans of the command that runs here, if it is sampled.
fn spans() -> Option<Arc<SpanBuffer>> {
    Context::with_current(|context| context.extension::<CommandRun>().and_then(|run| run.spans().cloned()))
}

/// Records a query in the current span.
pub fn record_query(name: Cow<'static, str>, begun: SystemTime, ended: SystemTime) {
    let Some(spans) = spans() else { return };
    let (id, parent) = (span_buffer::fresh_id(), span_buffer::current());
    let (op, attribute, outcome) = ("db.query", "query", Outcome::Ok);
    spans.add(Span { id, parent, name, op, attribute, begun, ended, outcome, calls: None });
}

impl Call {
    /// Begins the call's span, if it is part of a sampled command.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_span(&mut self) {
        if spans().is_none() {
            return;
        }
        self.entry.get_or_insert_default().span = Some(OpenSpan::begin());
    }

    /// Leaves the call's span, which is entered for each poll from now on.
    #[cold]
    #[inline(never)]
    pub(crate) fn leave_span(&mut self) {
        if let Some(span) = self.entry.as_mut().and_then(|entry| entry.span.as_mut()) {
            span.inside = None;
        }
    }

    /// Enters the call's span, if it has one, until the guard is dropped.
    pub(crate) fn enter_span(&self) -> Option<SpanGuard> {
        let span = self.entry.as_ref()?.span.as_ref()?;
        Some(span_buffer::enter(span.id))
    }

    #[cold]
    #[inline(never)]
    pub(super) fn end_span(&mut self, outcome: Outcome, nanos: u64) {
        self.leave_span();
        let Some(span) = self.entry.as_mut().and_then(|entry| entry.span.take()) else { return };
        let Some(spans) = spans() else { return };
        let OpenSpan { id, parent, begun, inside: _ } = span;
        let kind = self.callsite.kind();
        spans.add(Span {
            id,
            parent,
            name: Cow::Borrowed(self.callsite.name()),
            op: if kind == CallsiteKind::Command { "command" } else { "function" },
            attribute: kind.as_str(),
            begun,
            ended: begun.checked_add(Duration::from_nanos(nanos)).unwrap_or(begun),
            outcome,
            calls: None,
        });
    }

    /// Emits the spans of a sampled command that has ended.
    #[cold]
    #[inline(never)]
    pub(super) fn emit_trace(&self, outcome: Outcome) {
        let Some(run) = self.entry().and_then(|entry| entry.run.as_ref()).filter(|run| run.is_outermost()) else {
            return;
        };
        let name = Cow::Borrowed(self.callsite.name());
        let recorded = run.spans().and_then(|spans| spans.end(name, run.begun(), outcome));
        if let Some(recorded) = recorded {
            global::emit(Topic::Report, Level::Info, global::source(self.callsite.place()), |_| {
                (Fact::Traced(Box::new(recorded)), Details { fields: Vec::new(), tags: self.tags() })
            });
        }
    }
}
