//! One call of an annotated function, from its start to its one outcome.

use std::any::Any;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

use crate::base::call_scope::{self, CallScope, ScopeGuard};
use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
use crate::context::scope_state;
use crate::events::command_run::CommandRun;
use crate::events::event::{CallInfo, Details};
use crate::events::failure::Failure;
use crate::events::panics;
use crate::events::span_buffer;
use crate::exporters::interface::Topic;
use crate::instrument::call::captured_cells;
use crate::instrument::call::end_flush::EndFlush;
use crate::instrument::call::entry::Entry;
use crate::instrument::call::lost_context;
use crate::metrics::callsite::{Callsite, CallsiteKind, Tags};
use crate::metrics::cardinality::{MAX_LABEL_CHARS, truncate};
use crate::metrics::cells::{Cells, FAST_NANOS, ThreadCell};
use crate::metrics::registry;
use crate::pipeline::global;

/// What to do at the start and at the end of a call beside counting it.
///
/// Initialisation fills it in: annotated functions in a program that never initialises obs have none of that in their
/// machine code.
static HOOKS: OnceLock<Hooks> = OnceLock::new();

/// What is called when there is more to do than to count.
pub(super) struct Hooks {
    pub begun: fn(&mut Call),
    pub ended: fn(&mut Call, &End<'_>),
}

impl Hooks {
    pub(super) fn install(self) {
        let _ = HOOKS.set(self);
    }

    // By value, so that a call of which only counts are wanted is written to memory once.
    #[cold]
    #[inline(never)]
    fn begun(mut call: Call) -> Call {
        if let Some(hooks) = HOOKS.get() {
            (hooks.begun)(&mut call);
        }
        call
    }

    #[cold]
    fn ended(call: &mut Call, end: &End<'_>) {
        if let Some(hooks) = HOOKS.get() {
            (hooks.ended)(call, end);
        }
    }
}

/// How a call has ended.
pub(super) struct End<'f> {
    pub cells: &'static Cells,
    pub outcome: Outcome,
    pub nanos: u64,
    pub failure: Option<&'f Failure<'f>>,
    /// Of a command, unless it follows from the outcome.
    pub exit_code: Option<u8>,
}

/// A call that has begun. It ends once: by [`finish`](Self::finish), or with its drop, which means that the function
/// never came to return a value.
#[derive(Debug)]
pub struct Call {
    pub(super) callsite: &'static Callsite,
    /// `None` when obs is off, and once the call has ended.
    pub(super) cells: Option<&'static Cells>,
    /// The cell of the thread on which the call began, as long as it cannot have moved to another one.
    here: Option<&'static ThreadCell>,
    pub(super) start: Stamp,
    pub(super) entry: Option<Box<Entry>>,
    /// The outcome if the call is dropped before it is finished.
    unless_finished: Outcome,
    /// Whether every sink is flushed when the call has ended.
    pub(super) flushes: EndFlush,
    /// Whether the function replaces an error by a fallback value.
    pub(super) swallows: bool,
    /// Whether it has a [`CallScope`], which is the innermost one when the call ends.
    pub(super) encloses: bool,
    /// Whether the call has begun a scope of its own on this thread, as nothing encloses it.
    pub(super) own_scope: bool,
}

impl Callsite {
    /// Begins a call without arguments and tags.
    #[inline]
    pub fn begin(&'static self) -> Call {
        if global::interest().is_off() {
            Call::new(self, None, Stamp::ZERO)
        } else {
            self.start_call(captured_cells::here().unwrap_or(self.cells()), None)
        }
    }

    /// Begins a call; `describe` records arguments and tags, and runs only when obs is on.
    #[inline]
    pub fn begin_with(&'static self, describe: impl FnOnce(&mut Entry)) -> Call {
        if global::interest().is_off() {
            return Call::new(self, None, Stamp::ZERO);
        }
        let mut entry = Box::<Entry>::default();
        describe(&mut entry);
        self.begin_described(entry)
    }

    #[inline(never)]
    pub(super) fn begin_described(&'static self, entry: Box<Entry>) -> Call {
        let of_program = || if entry.tags.is_empty() { self.cells() } else { self.cells_of(&entry.tags) };
        self.start_call(captured_cells::here().unwrap_or_else(of_program), Some(entry))
    }

    // What does not depend on the function is not part of each one's code.
    #[inline(never)]
    fn start_call(&'static self, cells: &'static Cells, entry: Option<Box<Entry>>) -> Call {
        if cfg!(debug_assertions) && !captured_cells::are(cells) {
            // Before the call has a scope of its own.
            lost_context::call_begins(self);
        }
        let (here, own_scope) = (cells.start(), scope_state::begin());
        let call = Call {
            callsite: self,
            cells: Some(cells),
            here,
            start: Stamp::now(),
            entry,
            unless_finished: Outcome::Panic,
            flushes: EndFlush::No,
            swallows: false,
            encloses: false,
            own_scope,
        };
        if span_buffer::any() || call.reports_start() { Hooks::begun(call) } else { call }
    }

    fn cells_of(&'static self, tags: &Tags) -> &'static Cells {
        let limit = global::pipeline().map_or(1, |pipeline| pipeline.config().max_series);
        let (cells, overflowed) = self.cells_tagged(tags.clone(), limit);
        if overflowed && let Some(pipeline) = global::pipeline() {
            pipeline.overflow(self.kind().family());
        }
        cells
    }
}

impl Call {
    #[inline]
    pub(super) const fn new(callsite: &'static Callsite, cells: Option<&'static Cells>, start: Stamp) -> Self {
        Self {
            callsite,
            cells,
            here: None,
            start,
            entry: None,
            unless_finished: Outcome::Panic,
            flushes: EndFlush::No,
            swallows: false,
            encloses: false,
            own_scope: false,
        }
    }

    /// Begins a call of an operation or a command that the program names, unless obs is off. The name is redacted, as all
    /// text is.
    pub(crate) fn manual(
        name: Cow<'static, str>,
        command: bool,
        place: &'static std::panic::Location<'static>,
    ) -> Option<Self> {
        let pipeline = global::pipeline()?;
        let name = pipeline.text(name);
        let name = if name.len() > MAX_LABEL_CHARS { Cow::Owned(truncate(name.into_owned())) } else { name };
        let (callsite, overflowed) = registry::manual_callsite(name, command, pipeline.config().max_series, place);
        if overflowed {
            pipeline.overflow(callsite.kind().family());
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

    /// When it began.
    pub(crate) const fn start(&self) -> Stamp {
        self.start
    }

    pub(crate) fn entry(&self) -> Option<&Entry> {
        self.entry.as_deref()
    }

    pub(super) fn details(&self) -> Details<'static> {
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

    /// Ends the call as its drop does.
    pub(crate) fn end_unfinished(&mut self) {
        let outcome = self.unless_finished;
        let exit_code = (outcome == Outcome::Panic).then_some(101);
        self.end(outcome, None, exit_code);
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
    pub(crate) const fn set_flushes(&mut self, flushes: EndFlush) {
        self.flushes = flushes;
    }

    /// If every sink is to be flushed when the call has ended, does so in the background. Returns whether it is.
    pub(crate) const fn set_flushes_in_background(&mut self) -> bool {
        let flushes = !matches!(self.flushes, EndFlush::No);
        if flushes {
            self.flushes = EndFlush::Background;
        }
        flushes
    }

    /// Gives the call a scope: errors that leave the calls inside wait for its end. The scope is to be entered wherever the
    /// call runs, and where it ends.
    #[inline]
    pub(crate) const fn set_encloses(&mut self) {
        self.encloses = self.is_on();
    }

    /// The same, and enters the scope, unless obs is off.
    #[inline]
    pub(crate) fn enclose(&mut self) -> Option<ScopeGuard<'static>> {
        self.set_encloses();
        self.encloses.then(|| CallScope::default().enter())
    }

    /// An error by which the call ends goes no further.
    pub(crate) const fn set_swallows(&mut self) {
        self.swallows = true;
    }

    /// Keeps this until a command ends.
    pub(crate) fn keep(&mut self, kept: Arc<dyn Any + Send + Sync>) {
        self.entry.get_or_insert_default().kept = Some(kept);
    }

    /// The run that a command is.
    pub(crate) fn set_run(&mut self, run: Arc<CommandRun>) {
        self.entry.get_or_insert_default().run = Some(run);
    }

    pub(super) fn info(&self) -> CallInfo {
        CallInfo { run: self.entry().and_then(|entry| entry.run.clone()), ..CallInfo::of(self.callsite) }
    }

    /// Whether somebody may want a line of its start.
    #[inline]
    pub(super) fn reports_start(&self) -> bool {
        self.callsite.kind() == CallsiteKind::Operation && global::interest().may_want(self.callsite.line_level())
    }

    /// Skips the drop of a call that holds nothing: it is off, or has ended.
    #[inline]
    pub(crate) const fn dismiss(self) {
        std::mem::forget(self);
    }

    /// Ends the call with the outcome that follows from `failure`. It holds nothing afterwards.
    #[inline]
    pub(crate) fn finish(&mut self, failure: Option<&Failure<'_>>) {
        let outcome = if failure.is_some() { Outcome::Error } else { Outcome::Ok };
        self.end(outcome, failure, None);
    }

    /// Ends the call by what its value was judged to be. Returns whether that is an error.
    #[inline]
    pub fn judged(&mut self, failure: Option<Failure<'_>>) -> bool {
        self.finish(failure.as_ref());
        failure.is_some()
    }

    #[inline(never)]
    pub(super) fn end(&mut self, outcome: Outcome, failure: Option<&Failure<'_>>, exit_code: Option<u8>) {
        let Some(cells) = self.cells.take() else { return };
        self.end_counted(cells, outcome, failure, exit_code);
        self.entry = None;
        self.end_own_scope();
    }

    fn end_counted(
        &mut self,
        cells: &'static Cells,
        outcome: Outcome,
        failure: Option<&Failure<'_>>,
        exit_code: Option<u8>,
    ) {
        if self.callsite.kind() == CallsiteKind::Command && self.entry().is_some_and(Entry::was_ended) {
            return;
        }
        if cfg!(debug_assertions) && self.callsite.kind() == CallsiteKind::Command && !captured_cells::are(cells) {
            lost_context::command_ended();
        }
        let nanos = self.start.elapsed_nanos();
        match self.here {
            Some(cell) => cell.finish(outcome, nanos),
            None => cells.finish(outcome, nanos),
        }
        let is_waited_for = self.encloses && outcome.is_ok() && call_scope::succeeded();
        if is_waited_for || self.is_reported(outcome, nanos) {
            Hooks::ended(self, &End { cells, outcome, nanos, failure, exit_code });
        }
    }

    /// Whether there is more to do at the end than to count.
    #[inline]
    fn is_reported(&self, outcome: Outcome, nanos: u64) -> bool {
        let is_wanted = || match self.callsite.kind() {
            CallsiteKind::Command => true,
            CallsiteKind::Operation => global::interest().may_want(self.line_level(outcome)),
            CallsiteKind::Errors | CallsiteKind::Cost => false,
        };
        !outcome.is_ok()
            || nanos > FAST_NANOS
            || self.flushes != EndFlush::No
            || self.entry().is_some_and(Entry::has_span)
            || is_wanted()
    }

    /// The finish line of a failed command is at error level; that of a function inside keeps its own, as the error is
    /// logged where it is captured.
    pub(super) const fn line_level(&self, outcome: Outcome) -> Level {
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

    pub(super) const fn topic(&self) -> Topic {
        match self.callsite.kind() {
            CallsiteKind::Operation => Topic::Call,
            CallsiteKind::Command | CallsiteKind::Errors | CallsiteKind::Cost => Topic::Fact,
        }
    }
}

impl Drop for Call {
    #[inline]
    fn drop(&mut self) {
        if self.cells.is_some() {
            self.end_unfinished();
        }
    }
}
