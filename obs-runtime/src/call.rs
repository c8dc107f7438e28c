//! One call of an annotated function, from its start to its one outcome.

mod ending;

pub use ending::Ending;

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::callsite::{Callsite, CallsiteKind, Tags};
use crate::cardinality::{LONGEST, cut};
use crate::cells::{Cells, QUICK, ThreadCell};
use crate::clock::Stamp;
use crate::context::Context;
use crate::event::{CallInfo, Details, Fact, FailureFacts, Field, Value};
use crate::failure::Failure;
use crate::flush::Occasion;
use crate::global::{self, Interest};
use crate::level::Level;
use crate::outcome::Outcome;
use crate::panics;
use crate::registry;
use crate::secret::MASK;
use crate::sinks::Topic;

/// A call that has begun. It ends once: by [`finish`](Self::finish), or with its drop, which means that the function
/// never came to return a value.
#[derive(Debug)]
pub struct Call {
    callsite: &'static Callsite,
    /// None when obs is off, and once the call has ended.
    cells: Option<&'static Cells>,
    /// The cell of the thread on which the call began, while it cannot have left it.
    here: Option<&'static ThreadCell>,
    start: Stamp,
    entry: Option<Box<Entry>>,
    /// The outcome if nothing else is said before the drop.
    unless_finished: Outcome,
    /// Whether every sink is flushed when the call has ended.
    flushes: bool,
}

/// What is recorded of a call when it begins.
#[derive(Debug, Default)]
pub struct Entry {
    pub(crate) tags: Tags,
    pub(crate) arguments: Vec<(&'static str, Value<'static>)>,
    pub(crate) context: Vec<(&'static str, Value<'static>)>,
    pub(crate) user: Option<String>,
    pub(crate) dataset: Option<String>,
    /// Labels of the jobs that run inside.
    pub(crate) labels: Vec<(&'static str, String)>,
    /// Of a command: whether it has ended, which may have been from elsewhere.
    ended: Option<Arc<AtomicBool>>,
}

impl Entry {
    /// A metric label. Its value is redacted, as all text is.
    pub fn tag(&mut self, name: &'static str, value: String) {
        let value = match global::pipeline() {
            Some(pipeline) => pipeline.redactor().named(name, value.into()).into_owned(),
            None => value,
        };
        self.tags.push((name, cut(value)));
    }

    /// An argument as it is.
    pub fn argument(&mut self, name: &'static str, value: Value<'static>) {
        self.arguments.push((name, value));
    }

    /// An argument of which only the presence is recorded.
    pub fn redacted(&mut self, name: &'static str) {
        self.argument(name, Value::from(MASK));
    }

    /// An argument as a keyed hash: equal for equal values.
    #[expect(clippy::needless_pass_by_value, reason = "generated code has no other use for the value")]
    pub fn hashed(&mut self, name: &'static str, value: Value<'static>) {
        let hash = global::pipeline().map(|pipeline| pipeline.redactor().hashed(&value.to_string()));
        self.argument(name, hash.unwrap_or(Value::from(MASK)));
    }

    /// An argument of which only the length is recorded.
    pub fn length(&mut self, name: &'static str, length: usize) {
        self.argument(name, Value::Length(length as u64));
    }

    /// Who asked for the command.
    pub fn user(&mut self, user: String) {
        self.user = Some(user);
    }

    /// The data set that a cost scope works on.
    pub fn dataset(&mut self, dataset: String) {
        self.dataset = Some(dataset);
    }

    /// A label of the jobs that run inside. Its value is redacted, as all text is.
    pub fn label(&mut self, name: &'static str, value: String) {
        let value = match global::pipeline() {
            Some(pipeline) => pipeline.redactor().named(name, value.into()).into_owned(),
            None => value,
        };
        self.labels.push((name, value));
    }

    /// Context of an error, should there be one.
    pub fn context(&mut self, name: &'static str, value: Value<'static>) {
        self.context.push((name, value));
    }

    /// Notes what a check says of itself. Should that panic, the check has its result all the same.
    pub(crate) fn describe(&mut self, describe: fn(&mut Self)) {
        let _ = catch_unwind(AssertUnwindSafe(|| describe(self)));
    }

    /// Whether the call was ended from elsewhere; if not, it ends here.
    fn was_ended(&self) -> bool {
        self.ended.as_ref().is_some_and(|ended| ended.swap(true, Ordering::SeqCst))
    }

    /// The arguments that were given: an absent option or an unset flag was not used.
    fn given(&self) -> Vec<&'static str> {
        let absent = |value: &Value<'_>| *value == Value::Bool(false) || *value == Value::from("None");
        self.arguments.iter().filter(|(_, value)| !absent(value)).map(|(name, _)| *name).collect()
    }

    pub(crate) fn details(&self) -> Details<'static> {
        Details { fields: self.fields(), tags: self.tags.clone() }
    }

    fn fields(&self) -> Vec<Field<'static>> {
        let tags = self.tags.iter().map(|(name, value)| Field::new(*name, value.clone()));
        let named = |(name, value): &(&'static str, Value<'static>)| Field::new(*name, value.clone());
        self.arguments.iter().map(named).chain(tags).chain(self.context.iter().map(named)).collect()
    }
}

impl Callsite {
    /// Begins a call without arguments and tags.
    #[inline]
    pub fn begin(&'static self) -> Call {
        let interest = global::interest();
        let cells = if interest.is_off() { None } else { Some(self.cells()) };
        self.start_call(interest, cells, None)
    }

    /// Begins a call; `describe` records arguments and tags, and runs only when obs is on.
    pub fn begin_with(&'static self, describe: impl FnOnce(&mut Entry)) -> Call {
        let interest = global::interest();
        if interest.is_off() {
            return self.start_call(interest, None, None);
        }
        let mut entry = Box::<Entry>::default();
        describe(&mut entry);
        let cells = if entry.tags.is_empty() { self.cells() } else { self.cells_of(&entry.tags) };
        self.start_call(interest, Some(cells), Some(entry))
    }

    #[inline]
    fn start_call(&'static self, interest: Interest, cells: Option<&'static Cells>, entry: Option<Box<Entry>>) -> Call {
        let (here, start) = match cells {
            Some(cells) => (cells.start(), Stamp::now()),
            None => (None, Stamp::ZERO),
        };
        let mut call =
            Call { callsite: self, cells, here, start, entry, unless_finished: Outcome::Panic, flushes: false };
        if interest.may_want(self.line_level()) && self.kind() == CallsiteKind::Operation {
            call.report_start();
        }
        call
    }

    fn cells_of(&'static self, tags: &Tags) -> &'static Cells {
        let limit = global::pipeline().map_or(1, |pipeline| pipeline.config().max_series);
        let (cells, overflowed) = self.cells_tagged(tags.clone(), limit);
        if overflowed && let Some(pipeline) = global::pipeline() {
            pipeline.overflow();
        }
        cells
    }
}

impl Call {
    /// Begins a call of an operation or a command that is named by hand, unless obs is off. The name is redacted, as all
    /// text is.
    pub(crate) fn by_hand(
        name: Cow<'static, str>,
        command: bool,
        place: &'static std::panic::Location<'static>,
    ) -> Option<Self> {
        let pipeline = global::pipeline()?;
        let name = pipeline.redactor().text(name);
        let name = if name.len() > LONGEST { Cow::Owned(cut(name.into_owned())) } else { name };
        let (callsite, overflowed) = registry::by_hand(name, command, pipeline.config().max_series, place);
        if overflowed {
            pipeline.overflow();
        }
        Some(callsite.begin())
    }

    /// Where the call is.
    #[inline]
    pub(crate) const fn callsite(&self) -> &'static Callsite {
        self.callsite
    }

    /// Whether anything is recorded at all.
    #[inline]
    pub(crate) const fn is_on(&self) -> bool {
        self.cells.is_some()
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.entry.as_deref()
    }

    fn details(&self) -> Details<'static> {
        self.entry().map(Entry::details).unwrap_or_default()
    }

    pub(crate) fn tags(&self) -> Tags {
        self.entry().map(|entry| entry.tags.clone()).unwrap_or_default()
    }

    /// From now on, the call may end on another thread than the one it began on.
    #[inline]
    pub(crate) const fn may_move(&mut self) {
        self.here = None;
    }

    /// Whether this thread has seen a panic since the call began.
    pub(crate) fn has_panicked(&self) -> bool {
        panics::message_since(self.start).is_some()
    }

    /// From now on, being dropped means this outcome.
    #[inline]
    pub(crate) const fn set_unless_finished(&mut self, outcome: Outcome) {
        self.unless_finished = outcome;
    }

    /// Whether every sink is to be flushed when the call has ended.
    pub(crate) const fn set_flushes(&mut self, flushes: bool) {
        self.flushes = flushes;
    }

    /// Says that the call has begun, to whoever wants to know.
    #[cold]
    #[inline(never)]
    pub(crate) fn report_start(&mut self) {
        let level = self.callsite.line_level();
        global::emit(self.topic(), level, global::source(self.callsite.place()), |_| {
            let arguments = self.entry().map(Entry::given).unwrap_or_default();
            let call = CallInfo::of(self.callsite);
            (Fact::Started { call, arguments }, self.details())
        });
        // The time that the line took is none of the function's.
        self.start = Stamp::now();
    }

    /// Ends the call with the outcome that `failure` tells.
    #[inline]
    pub(crate) fn finish(&mut self, failure: Option<&Failure<'_>>, exit_code: Option<u8>) {
        let outcome = if failure.is_some() { Outcome::Error } else { Outcome::Ok };
        self.end(outcome, failure, exit_code);
    }

    #[inline]
    fn end(&mut self, outcome: Outcome, failure: Option<&Failure<'_>>, exit_code: Option<u8>) {
        let Some(cells) = self.cells.take() else { return };
        if self.callsite.kind() == CallsiteKind::Command && self.entry().is_some_and(Entry::was_ended) {
            return;
        }
        let nanos = self.start.elapsed_nanos();
        match self.here {
            Some(cell) => cell.finish(outcome, nanos),
            None => cells.finish(outcome, nanos),
        }
        if nanos > QUICK || !outcome.is_ok() {
            exemplify(cells, outcome, nanos);
        }
        let wanted = match self.callsite.kind() {
            CallsiteKind::Command => true,
            CallsiteKind::Operation => global::interest().may_want(self.line_level(outcome)),
            CallsiteKind::Errors => matches!(outcome, Outcome::Error | Outcome::Panic),
            CallsiteKind::Cost => false,
        };
        if wanted {
            self.report_end(outcome, nanos, failure, exit_code);
        }
        if self.flushes {
            global::flush(Occasion::Meanwhile);
        }
    }

    /// The finish line of a command that failed is one that a reader of the log must see; that of a function inside it
    /// keeps its level, as the error itself is told by who captures it.
    const fn line_level(&self, outcome: Outcome) -> Level {
        match (self.callsite.kind(), outcome) {
            (CallsiteKind::Command, Outcome::Error | Outcome::Panic) => Level::Error,
            (CallsiteKind::Command, Outcome::Cancelled) => Level::Warning,
            (CallsiteKind::Errors, Outcome::Panic) if (self.callsite.error_level() as u8) < Level::Error as u8 => {
                Level::Error
            }
            (CallsiteKind::Errors, _) => self.callsite.error_level(),
            _ => self.callsite.line_level(),
        }
    }

    const fn topic(&self) -> Topic {
        match self.callsite.kind() {
            CallsiteKind::Operation => Topic::Call,
            CallsiteKind::Command | CallsiteKind::Errors | CallsiteKind::Cost => Topic::Fact,
        }
    }

    #[cold]
    #[inline(never)]
    fn report_end(&self, outcome: Outcome, nanos: u64, failure: Option<&Failure<'_>>, exit_code: Option<u8>) {
        global::emit(self.topic(), self.line_level(outcome), global::source(self.callsite.place()), |_| {
            let fact = if self.callsite.kind() == CallsiteKind::Errors {
                Fact::Captured {
                    operation: self.callsite.name().into(),
                    failure: failure.map_or_else(|| panic_facts(self.start), Failure::facts),
                    panic: outcome == Outcome::Panic,
                }
            } else {
                Fact::Finished {
                    call: CallInfo::of(self.callsite),
                    outcome,
                    duration: Duration::from_nanos(nanos),
                    failure: failure
                        .map(Failure::facts)
                        .or_else(|| (outcome == Outcome::Panic).then(|| panic_facts(self.start))),
                    exit_code,
                }
            };
            (fact, self.details())
        });
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if self.cells.is_some() {
            let outcome = self.unless_finished;
            let exit_code = (outcome == Outcome::Panic).then_some(101);
            self.end(outcome, None, exit_code);
        }
    }
}

/// Notes the trace that this code runs in, if there is one, for the call that has ended.
#[cold]
#[inline(never)]
fn exemplify(cells: &Cells, outcome: Outcome, nanos: u64) {
    if let Some(trace) = Context::with_current(Context::trace) {
        cells.exemplify(outcome, nanos, trace);
    }
}

fn panic_facts(start: Stamp) -> FailureFacts<'static> {
    let message = panics::message_since(start).map_or(Cow::Borrowed("panicked"), Cow::Owned);
    FailureFacts { error_type: Cow::Borrowed("panic"), message, sources: Vec::new() }
}
