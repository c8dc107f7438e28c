//! Operators' commands (`doctor`, `dq run`, …) as spans.

use std::borrow::Cow;
use std::process::ExitCode;

use crate::base::outcome::Outcome;
use crate::events::active_span::{self, Active, ActiveSpan, OpenSpan, Roots, SpanGuard};
use crate::events::failure::{ExitFailure, Failure};
use crate::events::span::{Span, SpanDetails};
use crate::events::span_beginning::Beginning;
use crate::metrics::callsite::Tags;
use crate::pipeline::traces::{begin_root, emit};

const OPERATOR: &str = "operator";

/// A command of an operator, from its beginning to its end. Checks that it runs are spans inside of it.
#[derive(Debug)]
pub struct OperatorSpan {
    open: OpenSpan,
    inside: SpanGuard,
}

impl OperatorSpan {
    /// Begins a span in the active one, or a trace, if an exporter wants it.
    pub fn begin() -> Option<Self> {
        let beginning = Beginning::now(OPERATOR.into(), OPERATOR, OPERATOR);
        let open = match active_span::current() {
            Active::Span(active) => OpenSpan::child(active, &beginning),
            Active::Nothing | Active::Boundary { .. } if active_span::roots() != Roots::Never => {
                begin_root(&beginning, None).ok()?
            }
            Active::Nothing | Active::Boundary { .. } | Active::NotRecorded(_) => return None,
        };
        let inside = active_span::enter(Active::Span(open.active.clone()));
        Some(Self { open, inside })
    }

    /// Ends it with the exit code of the command of that name. A code other than 0 is an error, as in OpenTelemetry's conventions.
    pub fn end(self, name: &'static str, code: ExitCode) {
        let Self { open, inside } = self;
        let is_root = open.is_root();
        let OpenSpan { active: ActiveSpan { buffer, id }, parent, begun } = open;
        let failure = ExitFailure::of(code).map(|failure| Failure::exit(failure).facts());
        let outcome = if failure.is_some() { Outcome::Error } else { Outcome::Ok };
        let span = Span {
            id,
            parent,
            name: Cow::Borrowed(name),
            op: OPERATOR,
            attribute: OPERATOR,
            begun: begun.at(),
            ended: begun.end(),
            outcome,
            calls: None,
            place: None,
            function: None,
            details: SpanDetails::of(Vec::new(), failure),
        };
        let recorded = if is_root { buffer.end(span) } else { buffer.add(span) };
        drop(inside);
        emit(recorded, None, &Tags::new());
    }
}
