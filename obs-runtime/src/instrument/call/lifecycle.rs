//! What is told of a call beside what is counted: its lines, its span, and the errors on their way through it.
//!
//! It is reached through a table of functions that initialisation fills in, as the pipeline is: annotated functions in a
//! program that never initialises obs bring none of it into its machine code.

use std::sync::OnceLock;
use std::time::Duration;

use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::base::span_buffer;
use crate::context::current::Context;
use crate::events::event::{CallInfo, Fact};
use crate::events::failure::Failure;
use crate::events::panics;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::error_dedup::pending_error;
use crate::instrument::error_dedup::pending_error::Passed;
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::cells::{Cells, FAST_NANOS};
use crate::pipeline::flush::FlushMode;
use crate::pipeline::global;

static TELLING: OnceLock<Telling> = OnceLock::new();

/// What to call when a call has begun or ended.
struct Telling {
    begun: fn(&mut Call),
    ended: fn(&mut Call, &End<'_>),
}

/// How a call has ended.
pub(super) struct End<'f> {
    pub cells: &'static Cells,
    pub outcome: Outcome,
    pub nanos: u64,
    pub failure: Option<&'f Failure<'f>>,
    pub exit_code: Option<u8>,
}

/// Has calls told from now on, and not only counted.
pub fn tell() {
    TELLING.get_or_init(|| Telling { begun: Call::tell_start, ended: Call::tell_end });
}

/// A call has begun of which there is more to do than to count.
#[cold]
pub(super) fn begun(call: &mut Call) {
    if let Some(telling) = TELLING.get() {
        (telling.begun)(call);
    }
}

/// A call has ended of which there is more to do than to count.
#[cold]
pub(super) fn ended(call: &mut Call, end: &End<'_>) {
    if let Some(telling) = TELLING.get() {
        (telling.ended)(call, end);
    }
}

impl Call {
    fn tell_start(&mut self) {
        if span_buffer::any() {
            self.begin_span();
        }
        if self.tells_start() {
            self.report_start();
        }
    }

    fn tell_end(&mut self, end: &End<'_>) {
        let &End { cells, outcome, nanos, failure, exit_code } = end;
        if nanos > FAST_NANOS || !outcome.is_ok() {
            exemplify(cells, outcome, nanos);
        }
        self.end_span(outcome, nanos);
        let passed = self.pass(outcome, failure);
        let wanted = match self.callsite.kind() {
            CallsiteKind::Command => true,
            CallsiteKind::Operation => global::interest().may_want(self.line_level(outcome)),
            CallsiteKind::Errors => matches!(outcome, Outcome::Error | Outcome::Panic),
            CallsiteKind::Cost => false,
        };
        if wanted {
            self.report_end(outcome, nanos, failure, passed, exit_code);
        }
        if self.flushes {
            global::flush(FlushMode::Ongoing);
        }
    }

    /// Says that the call has begun, to whoever wants to know.
    pub(crate) fn report_start(&mut self) {
        let level = self.callsite.line_level();
        global::emit(self.topic(), level, global::source(self.callsite.place()), |_| {
            let arguments = self.entry().map(Entry::given).unwrap_or_default();
            (Fact::Started { call: self.info(), arguments }, self.details())
        });
        // The time that the line took is none of the function's.
        self.start = Stamp::now();
    }

    fn report_end(
        &self,
        outcome: Outcome,
        nanos: u64,
        failure: Option<&Failure<'_>>,
        passed: Passed,
        exit_code: Option<u8>,
    ) {
        // What was captured before has its line already.
        let level = if passed.again && self.callsite.kind() == CallsiteKind::Errors {
            Level::Debug
        } else {
            self.line_level(outcome)
        };
        global::emit(self.topic(), level, global::source(self.callsite.place()), |_| {
            let failure = passed.failure.or_else(|| failure.map(Failure::facts)).or_else(|| {
                let last = || panics::last_since(self.start);
                (outcome == Outcome::Panic).then(|| pending_error::panic_facts(last().as_ref()))
            });
            let fact = if self.callsite.kind() == CallsiteKind::Errors {
                Fact::Captured {
                    operation: self.callsite.name().into(),
                    failure: failure.unwrap_or_default(),
                    panic: outcome == Outcome::Panic,
                }
            } else {
                let call = CallInfo { event: passed.event, ..self.info() };
                Fact::Finished { call, outcome, duration: Duration::from_nanos(nanos), failure, exit_code }
            };
            (fact, self.details())
        });
        if self.callsite.kind() == CallsiteKind::Command && span_buffer::any() {
            self.tell_trace(outcome);
        }
    }
}

/// Notes the trace that this code runs in, if there is one, for the call that has ended.
fn exemplify(cells: &Cells, outcome: Outcome, nanos: u64) {
    if let Some(trace) = Context::with_current(Context::trace) {
        cells.record_exemplar(outcome, nanos, trace);
    }
}
