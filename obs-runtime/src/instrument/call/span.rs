//! Calls, queries and checks as spans of recorded traces.

use std::borrow::Cow;
use std::time::Duration;

use crate::base::clock::Start;
use crate::base::outcome::Outcome;
use crate::base::stack::Stack;
use crate::context::current::Context;
use crate::events::active_span::{self, Active, ActiveSpan, OpenSpan, Roots, SpanGuard};
use crate::events::command_run::CommandRun;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Field;
use crate::events::span::{Span, SpanDetails};
use crate::events::span_beginning::Beginning;
use crate::instrument::call::entry::{CallSpan, Entry};
use crate::instrument::call::tracked_call::Call;
use crate::metrics::callsite::{CallsiteKind, SourceLocation, Tags};
use crate::pipeline::traces::{REQUEST, begin_root, emit};

/// A query or a check, from its beginning to its end.
#[derive(Clone, Debug)]
pub struct DetachedSpan {
    /// The span itself.
    pub active: ActiveSpan,
    parent: u64,
    begun: Start,
}

/// How a detached span ended.
#[derive(Debug)]
pub struct DetachedEnd {
    /// Its name.
    pub name: Cow<'static, str>,
    /// `check` or `db.query`.
    pub op: &'static str,
    /// How it ended.
    pub outcome: Outcome,
    /// The location in the source code.
    pub place: Option<SourceLocation>,
    /// The function at that location.
    pub function: Option<Cow<'static, str>>,
    /// Its fields, and its error.
    pub details: Option<Box<SpanDetails>>,
}

impl DetachedSpan {
    /// Begins a span in the active one, if there is one. `op` is that of its end.
    pub fn begin(op: &'static str) -> Option<Self> {
        Self::begun_at(op, Start::now())
    }

    /// A span in the active one that has begun before, if there is one.
    pub fn begun_at(op: &'static str, begun: Start) -> Option<Self> {
        let of = active_span::current_span()?;
        let OpenSpan { active, parent, .. } =
            OpenSpan::child(of, &Beginning { name: op.into(), op, attribute: op, begun });
        Some(Self { active, parent, begun })
    }

    /// Ends it now.
    pub fn end(self, end: DetachedEnd) {
        let Self { active: ActiveSpan { buffer, id }, parent, begun } = self;
        let DetachedEnd { name, op, outcome, place, function, details } = end;
        let (attribute, ended, begun, calls) = (op, begun.end(), begun.at(), None);
        let span = Span { id, parent, name, op, attribute, begun, ended, outcome, calls, place, function, details };
        emit(buffer.add(span), place, &Tags::new());
    }
}

impl Call {
    /// Begins the call's span, if it is part of a recorded trace or begins one.
    #[cold]
    #[inline(never)]
    pub(super) fn begin_span(&mut self) {
        let (span, is_boundary) = match active_span::current() {
            Active::NotRecorded(_) => return,
            // The outermost one begins a trace by itself.
            _ if self.callsite.kind() == CallsiteKind::Command && !is_in_command() => return,
            Active::Span(active) if !active.buffer.has_ended() => {
                (Ok(OpenSpan::child(active, &self.beginning(false))), false)
            }
            // The task outlives the trace that it came from.
            Active::Span(active) => (begin_root(&self.beginning(false), Some(active.trace())), true),
            Active::Boundary { is_request, .. } => (begin_root(&self.beginning(is_request), None), true),
            Active::Nothing if self.own_scope && active_span::roots() == Roots::Always => {
                (begin_root(&self.beginning(false), None), false)
            }
            Active::Nothing => return,
        };
        let active = match &span {
            Ok(open) => Active::Span(open.active.clone()),
            // Keeps calls inside from beginning a trace. Without a boundary, only a call that nothing encloses begins one.
            Err(active) if is_boundary => active.clone(),
            Err(_) => return,
        };
        let entry = self.entry.get_or_insert_default();
        entry.span = Some(CallSpan { span, inside: Some(active_span::enter(active)) });
    }

    /// What is known of its span now.
    pub(crate) fn beginning(&self, is_request: bool) -> Beginning {
        let kind = self.callsite.kind();
        let op = match kind {
            _ if is_request => REQUEST,
            CallsiteKind::Command => "command",
            _ => "function",
        };
        Beginning::now(Cow::Borrowed(self.callsite.name()), op, kind.as_str())
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
        Some(active_span::enter(span.active()))
    }

    /// Ends the call's span. `failure` says what the call failed by.
    #[cold]
    #[inline(never)]
    pub(super) fn end_span(
        &mut self,
        outcome: Outcome,
        nanos: u64,
        failure: impl FnOnce() -> Option<FailureFacts<'static>>,
        stack: Option<Stack>,
    ) {
        let Some(CallSpan { span: Ok(open), inside }) = self.entry.as_mut().and_then(|entry| entry.span.take()) else {
            return;
        };
        let (kind, place) = (self.callsite.kind(), self.callsite.place());
        let (name, attribute) = (Cow::Borrowed(self.callsite.name()), kind.as_str());
        let op = if kind == CallsiteKind::Command { "command" } else { "function" };
        let (fields, failure) = (self.entry().map(Entry::fields).unwrap_or_default(), failure());
        let is_root = open.is_root();
        let OpenSpan { active: ActiveSpan { buffer, id }, parent, begun } = open;
        let begun = begun.at();
        let ended = begun.checked_add(Duration::from_nanos(nanos)).unwrap_or(begun);
        let (calls, function, details) = (None, self.callsite.function_name(), details(fields, failure, stack));
        let span = Span {
            id,
            parent,
            name,
            op,
            attribute,
            begun,
            ended,
            outcome,
            calls,
            place: Some(place),
            function,
            details,
        };
        let recorded = if is_root { buffer.end(span) } else { buffer.add(span) };
        drop(inside);
        emit(recorded, Some(place), &self.tags());
    }

    /// Emits the spans of a recorded command that has ended.
    #[cold]
    #[inline(never)]
    pub(super) fn end_trace(&self, outcome: Outcome, failure: Option<FailureFacts<'static>>, stack: Option<Stack>) {
        let Some(run) = self.entry().and_then(|entry| entry.run.as_ref()).filter(|run| run.is_outermost()) else {
            return;
        };
        let Some(buffer) = run.spans() else { return };
        let place = self.callsite.place();
        let fields = self.entry().map(Entry::fields).unwrap_or_default();
        let recorded = buffer.end(Span {
            id: 0,
            parent: 0,
            name: Cow::Borrowed(self.callsite.name()),
            op: "command",
            attribute: self.callsite.kind().as_str(),
            begun: run.begun().at(),
            // Later than the duration of the command after its begin: that does not include the event of its start.
            ended: run.begun().end(),
            outcome,
            calls: None,
            place: Some(place),
            function: self.callsite.function_name(),
            details: details(fields, failure, stack),
        });
        emit(recorded, Some(place), &self.tags());
    }
}

fn details(
    fields: Vec<Field<'static>>,
    failure: Option<FailureFacts<'static>>,
    stack: Option<Stack>,
) -> Option<Box<SpanDetails>> {
    let mut details = SpanDetails::of(fields, failure);
    if let Some(details) = &mut details {
        details.stack = stack;
    }
    details
}

fn is_in_command() -> bool {
    Context::with_current(|context| context.extension::<CommandRun>().is_some())
}

#[cfg(all(test, feature = "testing"))]
mod tests {
    use std::convert::Infallible;

    use crate::config::validated::Config;
    use crate::testing::capture_with;

    #[test]
    fn the_span_of_a_command_lasts_no_shorter_than_the_command() {
        let config = Config::default().with(|config| config.tracing_enabled = true);
        let captured = capture_with(config, || crate::track_cli_command("nightly", || Ok::<_, Infallible>(())));
        let (span, call) = (captured.spans().name("nightly").once(), captured.calls().name("nightly").once());
        assert!(span.duration >= call.duration, "{span:?} {call:?}");
    }
}
