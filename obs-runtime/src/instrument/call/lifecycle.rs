//! What happens at the start and at the end of a call beside counting it: its events, its span, its error.

use std::time::{Duration, Instant};

use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::context::current::Context;
use crate::events::active_span;
use crate::events::event::{CallInfo, Fact};
use crate::events::failure::Failure;
use crate::events::failure_facts::FailureFacts;
use crate::events::logged_errors;
use crate::events::panics;
use crate::events::span_buffer;
use crate::instrument::call::end_flush::EndFlush;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::tracked_call::{Call, End, Hooks};
use crate::instrument::error_dedup::propagation::{self, CaptureOutcome};
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::cells::{Cells, FAST_NANOS};
use crate::pipeline::async_flush::flush_in_background;
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;

/// Has calls reported from now on, and not only counted.
pub fn enable() {
    Hooks { begun: Call::on_start, ended: Call::on_end }.install();
}

impl Call {
    fn on_start(&mut self) {
        if span_buffer::any() {
            self.begin_span();
        }
        if self.reports_start() {
            self.report_start();
        }
    }

    fn on_end(&mut self, end: &End<'_>) {
        let &End { cells, outcome, nanos, failure, exit_code } = end;
        let start = self.start;
        if nanos > FAST_NANOS || !outcome.is_ok() {
            exemplify(cells, outcome, nanos);
        }
        if nanos > FAST_NANOS {
            cells.record_recent(outcome, nanos);
        }
        if outcome == Outcome::Panic {
            self.report_unseen_panic();
        }
        let captured = self.propagate(outcome, failure);
        let wanted = match self.callsite.kind() {
            CallsiteKind::Command => true,
            CallsiteKind::Operation => global::interest().may_want(self.line_level(outcome)),
            CallsiteKind::Errors => matches!(outcome, Outcome::Error | Outcome::Panic),
            CallsiteKind::Cost => false,
        };
        if wanted {
            let exit_code = exit_code.or_else(|| self.exit_code(outcome, failure));
            self.report_end(outcome, nanos, failure, captured.clone(), exit_code);
        }
        if self.entry().is_some_and(Entry::has_span) {
            let failure = || failure_facts(outcome, failure, captured.failure, start);
            self.end_span(outcome, nanos, failure, captured.stack);
        } else if self.callsite.kind() == CallsiteKind::Command && span_buffer::any() {
            let failure = failure_facts(outcome, failure, captured.failure, start);
            self.end_trace(outcome, failure, captured.stack);
        }
        match self.flushes {
            EndFlush::No => {}
            EndFlush::Wait => global::flush(FlushMode::Ongoing(Instant::now())),
            EndFlush::Background => drop(flush_in_background()),
        }
    }

    /// Emits the event of the call's start.
    pub(crate) fn report_start(&mut self) {
        let level = self.callsite.line_level();
        global::emit(self.topic(), level, global::source(self.callsite.place()), |_| {
            let arguments = self.entry().map(Entry::given).unwrap_or_default();
            (Fact::Started { call: self.info(), arguments }, self.details())
        });
        if self.flushes != EndFlush::No {
            global::flush(FlushMode::Start);
        }
        // The function's duration does not include the time of this event.
        self.start = Stamp::now();
    }

    /// The exit code of a program whose command has returned.
    fn exit_code(&self, outcome: Outcome, failure: Option<&Failure<'_>>) -> Option<u8> {
        let has_returned = matches!(outcome, Outcome::Ok | Outcome::Error);
        let is_command = self.callsite.kind() == CallsiteKind::Command;
        (is_command && has_returned).then(|| failure.map_or(0, Failure::exit_code))
    }

    fn report_end(
        &self,
        outcome: Outcome,
        nanos: u64,
        failure: Option<&Failure<'_>>,
        captured: CaptureOutcome,
        exit_code: Option<u8>,
    ) {
        // An error that was captured before, or logged by `tracing`, has its line already.
        let is_error = self.callsite.kind() == CallsiteKind::Errors;
        let is_logged = is_error
            && outcome == Outcome::Error
            && failure_facts(outcome, failure, captured.failure.clone(), self.start)
                .is_some_and(|failure| logged_errors::capture(&failure.message));
        let level = if is_error && (captured.again || is_logged) { Level::Debug } else { self.line_level(outcome) };
        global::emit(self.topic(), level, global::source(self.callsite.place()), |_| {
            let failure = failure_facts(outcome, failure, captured.failure, self.start);
            let fact = if self.callsite.kind() == CallsiteKind::Errors {
                Fact::Captured {
                    operation: self.callsite.name().into(),
                    failure: failure.unwrap_or_default(),
                    panic: outcome == Outcome::Panic,
                }
            } else {
                let call = CallInfo { event: captured.event, ..self.info() };
                Fact::Finished { call, outcome, duration: Duration::from_nanos(nanos), failure, exit_code }
            };
            (fact, self.details())
        });
    }
}

/// What can be said of the error or panic by which a call ended.
fn failure_facts(
    outcome: Outcome,
    failure: Option<&Failure<'_>>,
    captured: Option<FailureFacts<'static>>,
    start: Stamp,
) -> Option<FailureFacts<'static>> {
    captured.or_else(|| failure.map(Failure::facts)).or_else(|| {
        let last = || panics::last_since(start);
        (outcome == Outcome::Panic).then(|| propagation::panic_facts(last().as_ref()))
    })
}

/// Records the current trace, if there is one, as an exemplar of the call.
fn exemplify(cells: &Cells, outcome: Outcome, nanos: u64) {
    if let Some(trace) = active_span::trace().or_else(|| Context::with_current(Context::trace)) {
        cells.record_exemplar(outcome, nanos, trace);
    }
}
