//! What a call that ends by an error, or by a panic, does with it.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::base::call_scope::{self, Item};
use crate::base::clock;
use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::base::task_id::TaskId;
use crate::context::current::Context;
use crate::events::active_span;
use crate::events::command_run::CommandRun;
use crate::events::event::{Source, UNKNOWN_OPERATION};
use crate::events::event_id::EventId;
use crate::events::failure::Failure;
use crate::events::failure_facts::FailureFacts;
use crate::events::fingerprint::{ErrorFingerprint, Match};
use crate::events::panics::{self, Panic};
use crate::events::report::{Cause, Layer, Report, ReportKind};
use crate::exporters::error_event::ErrorEvent;
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::pending_error::{PendingError, State, UNKNOWN_PANIC};
use crate::instrument::error_dedup::rate_limit;
use crate::instrument::error_dedup::registry;
use crate::pipeline::global;
use crate::pipeline::interface::Pipeline;

/// For how long a manual capture outside of any call finds an error that was reported there.
const MAX_REMEMBERED: Duration = Duration::from_secs(10);

/// How many such errors a thread remembers.
const REMEMBERED: usize = 16;

thread_local! {
    static OUTERMOST: RefCell<VecDeque<(TaskId, Arc<PendingError>)>> = const { RefCell::new(VecDeque::new()) };
}

/// The last panic that was captured on any thread: one that is resumed on another thread is the same one.
static LAST_PANIC: Mutex<Option<Arc<PendingError>>> = Mutex::new(None);

/// A call that ends while an error passes it, or a manual capture.
#[derive(Clone, Debug)]
pub struct CallExit {
    /// The operation's or command's name; of a manual capture, the operation of the context.
    pub name: Cow<'static, str>,
    /// Severity of an error that passes here.
    pub level: Level,
    /// Location in the program.
    pub source: Source<'static>,
    /// Whether it is the innermost call scope that ends.
    pub ends_scope: bool,
    /// When the call began.
    pub start: Stamp,
    /// Whether an error that was not captured yet is captured here.
    pub captures: Captures,
    /// Whether the call replaces the error by a fallback value.
    pub swallows: bool,
}

/// Whether a call captures errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Captures {
    /// It does.
    Yes,
    /// The program captures by a call of its own.
    Manually,
    /// Not by itself; if the call around captures the error, it adds its layer.
    Deferred,
    /// It does not.
    No,
}

/// What is known of an error once it has passed a call.
#[derive(Clone, Debug, Default)]
pub struct CaptureOutcome {
    /// Whether it was captured before.
    pub again: bool,
    /// The id of its report, if there is one.
    pub event: Option<EventId>,
    /// What can be said of it.
    pub failure: Option<FailureFacts<'static>>,
    /// Where it was captured, for the innermost span that it passes.
    pub stack: Option<Stack>,
}

/// What passes a call.
enum Passing {
    Error(ErrorFingerprint),
    Panic(Option<Panic>),
}

impl Passing {
    /// Whether no hook of obs was called for the panic, so that nothing else captures it.
    fn is_unseen_panic(&self) -> bool {
        matches!(self, Self::Panic(last) if last.as_ref().is_none_or(|last| last.is_from_payload))
    }

    /// The fingerprint of an error; none of a panic.
    fn into_fingerprint(self) -> Option<ErrorFingerprint> {
        match self {
            Self::Error(fingerprint) => Some(fingerprint),
            Self::Panic(_) => None,
        }
    }

    /// The report of what is captured here, without a stack.
    fn report(&self, exit: &CallExit, layers: Vec<Layer<'static>>) -> Report<'static> {
        let operation = layers.first().map_or_else(|| exit.name.clone(), |layer| layer.name.clone());
        let (kind, error_type, causes, place) = match self {
            Self::Error(error) => (ReportKind::Error, error.error_type.clone(), error.causes.clone(), None),
            Self::Panic(last) => {
                let type_name = Cow::Borrowed("panic");
                let message = last.as_ref().map_or(Cow::Borrowed(UNKNOWN_PANIC), |last| last.words.clone().into());
                let place = last.as_ref().and_then(|last| last.place.as_ref());
                let place = place.map(|(file, line)| Cow::Owned(format!("{file}:{line}")));
                (ReportKind::Panic, type_name.clone(), vec![Cause { type_name, message }], place)
            }
        };
        let id = EventId::fresh();
        Report { id, kind, operation, error_type, causes, layers, enclosing: None, left_out: 0, place, stack: None }
    }

    /// The stack on which it was captured, if an exporter wants it.
    fn stack(&self, pipeline: &dyn Pipeline) -> Option<Stack> {
        match self {
            Self::Panic(Some(last)) if !last.is_from_payload => last.stack.clone(),
            _ => pipeline.wants_stack_traces().then(Stack::capture).flatten(),
        }
    }
}

/// An error passes a call.
pub fn fail(exit: &CallExit, failure: &Failure<'_>, layer: impl FnOnce() -> Layer<'static>) -> CaptureOutcome {
    let fingerprint = failure.fingerprint();
    let facts = fingerprint.facts();
    CaptureOutcome { failure: Some(facts), ..pass(exit, Passing::Error(fingerprint), layer) }
}

/// A panic unwinds through a call.
pub fn unwind(exit: &CallExit, layer: impl FnOnce() -> Layer<'static>) -> CaptureOutcome {
    let last = panics::last_since(exit.start);
    let facts = panic_facts(last.as_ref());
    CaptureOutcome { failure: Some(facts), ..pass(exit, Passing::Panic(last), layer) }
}

/// What can be said of a panic.
pub fn panic_facts(last: Option<&Panic>) -> FailureFacts<'static> {
    let message = last.map_or(Cow::Borrowed("panicked"), |last| Cow::Owned(last.to_string()));
    FailureFacts { error_type: Cow::Borrowed("panic"), message, sources: Vec::new() }
}

/// Whether an error that the program logs as text was captured before, as it passes a call.
#[cfg(feature = "sentry")]
pub fn is_known(exit: &CallExit, failure: &Failure<'_>) -> bool {
    let found = find(exit, &failure.fingerprint());
    let is_known = found.is_some();
    if let Some(error) = found {
        forward(exit, error, false);
    }
    is_known
}

/// The innermost call has ended: what still waits for it was handled there, and is reported.
#[cold]
pub fn end() {
    call_scope::end().for_each(|item| report(&item));
}

/// A panic was seen where it began.
pub fn panicked(last: Panic, source: Source<'static>) {
    let operation = Context::with_current(|context| context.operation().map(str::to_owned));
    let exit = CallExit {
        name: operation.map_or(Cow::Borrowed(UNKNOWN_OPERATION), Cow::Owned),
        level: Level::Error,
        source,
        ends_scope: false,
        start: Stamp::ZERO,
        captures: Captures::Yes,
        swallows: false,
    };
    if let Some(error) = capture(&exit, Passing::Panic(Some(last)), Vec::new()) {
        let mut last_panic = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner);
        let previous = last_panic.replace(Arc::clone(&error));
        drop(last_panic);
        drop(previous);
        forward(&exit, error, true);
    }
}

fn pass(exit: &CallExit, passing: Passing, layer: impl FnOnce() -> Layer<'static>) -> CaptureOutcome {
    let found = match &passing {
        Passing::Error(fingerprint) => find(exit, fingerprint),
        Passing::Panic(_) => find_panic(exit, passing.is_unseen_panic()),
    };
    let deferred = found.as_ref().and_then(|error| error.take_deferred());
    let again = found.is_some() && deferred.is_none();
    let is_manual = exit.captures == Captures::Manually;
    let error = match (found, exit.captures) {
        (Some(error), _) if again => {
            if let Passing::Panic(Some(last)) = &passing {
                error.explain(&last.words);
            }
            error.add(layer(), exit.level, passing.into_fingerprint(), is_manual);
            Some(error)
        }
        (_, Captures::No) => None,
        (_, captures) => {
            let mut layers = deferred.unwrap_or_default();
            layers.push(layer());
            let is_deferred = captures == Captures::Deferred && !passing.is_unseen_panic();
            if is_deferred { defer(exit, passing, layers) } else { capture(exit, passing, layers) }
        }
    };
    let event = error.as_ref().and_then(|error| error.event());
    let stack = error.as_ref().and_then(|error| error.take_stack());
    if exit.ends_scope {
        end();
    }
    if let Some(error) = error {
        forward(exit, error, !again);
    }
    CaptureOutcome { again, event, failure: None, stack }
}

/// The error as it was seen before: it waits for the innermost call, or was reported outside of any.
fn find(exit: &CallExit, fingerprint: &ErrorFingerprint) -> Option<Arc<PendingError>> {
    let is_manual = exit.captures == Captures::Manually;
    let matches = |error: &PendingError| error.matches(fingerprint, is_manual);
    take_last(|error, _| matches(error) == Some(Match::Address))
        .or_else(|| take_last(|error, is_recent| is_recent && matches(error).is_some()))
        .or_else(|| {
            let is_outside = is_manual && !call_scope::is_inside();
            if is_outside { take_remembered(|error| matches(error).is_some()) } else { None }
        })
}

/// A panic that unwinds to here; or one that was seen on another thread while the call ran, and goes on here.
fn find_panic(exit: &CallExit, is_from_elsewhere: bool) -> Option<Arc<PendingError>> {
    let resumed = || {
        let last = LAST_PANIC.lock().unwrap_or_else(PoisonError::into_inner).clone()?;
        let pipeline = global::pipeline()?;
        (!last.is_before(exit.start) && last.is_of(&pipeline)).then_some(last)
    };
    take_last(|error, _| error.is_panic()).or_else(|| if is_from_elsewhere { resumed() } else { None })
}

fn take_last(matches: impl Fn(&PendingError, bool) -> bool) -> Option<Arc<PendingError>> {
    let matches = |item: &Item, is_recent| item.downcast_ref().is_some_and(|error| matches(error, is_recent));
    call_scope::take_last(matches).and_then(|item| item.downcast().ok())
}

fn report(item: &Item) {
    if let Some(error) = item.downcast_ref::<PendingError>() {
        error.report();
    }
}

/// Has an error wait for the call that it passes next. It is reported when there is none.
fn forward(exit: &CallExit, error: Arc<PendingError>, is_new: bool) {
    if exit.swallows {
        return error.report();
    }
    if let Ok(evicted) = call_scope::wait(Arc::clone(&error) as Item, exit.ends_scope) {
        if is_new && error.is_open() {
            registry::register(&error);
        }
        evicted.iter().for_each(report);
    } else {
        error.report();
        remember(error);
    }
}

/// Remembers an error that was reported outside of any call.
fn remember(error: Arc<PendingError>) {
    let remember = |errors: &RefCell<VecDeque<_>>| {
        let mut errors = errors.borrow_mut();
        let forgotten = if errors.len() < REMEMBERED { None } else { errors.pop_front() };
        errors.push_back((TaskId::current(), error));
        forgotten
    };
    let _ = OUTERMOST.try_with(remember);
}

fn take_remembered(matches: impl Fn(&PendingError) -> bool) -> Option<Arc<PendingError>> {
    let task = TaskId::current();
    let is_it =
        |known: &(TaskId, Arc<PendingError>)| known.0 == task && known.1.age() < MAX_REMEMBERED && matches(&known.1);
    let take = |errors: &RefCell<VecDeque<_>>| {
        let mut errors = errors.borrow_mut();
        let index = errors.iter().rposition(is_it)?;
        errors.remove(index)
    };
    OUTERMOST.try_with(take).ok().flatten().map(|(_, error)| error)
}

/// Captures an error that was not captured before. The rate limit is asked before the stack is captured.
fn capture(exit: &CallExit, passing: Passing, layers: Vec<Layer<'static>>) -> Option<Arc<PendingError>> {
    let pipeline = global::pipeline()?;
    let mut context = Context::of_event_here();
    if let Some(trace) = active_span::trace() {
        // The span that failed, and not the one in which the context began.
        context.set_trace(trace);
    }
    if let Some(run) = context.extension::<CommandRun>() {
        run.count_error();
    }
    let mut state = State::Suppressed;
    if pipeline.wants(Topic::Report, exit.level, &exit.source.logger) {
        let report = Box::new(passing.report(exit, layers));
        let (level, source, time) = (exit.level, exit.source.clone(), clock::wall());
        let mut event = Box::new(ErrorEvent { context, level, source, time, report });
        if rate_limit::allows(&*pipeline, &mut event) {
            event.report.stack = passing.stack(&*pipeline);
            state = State::Open(event);
        }
    }
    let is_manual = exit.captures == Captures::Manually;
    Some(Arc::new(PendingError::new(&pipeline, state, passing.into_fingerprint(), is_manual)))
}

/// An error that is captured only if the call around captures it.
fn defer(exit: &CallExit, passing: Passing, layers: Vec<Layer<'static>>) -> Option<Arc<PendingError>> {
    let Passing::Error(fingerprint) = passing else { return None };
    let pipeline = global::pipeline()?;
    let says_something = layers.iter().any(|layer| !layer.fields.is_empty());
    (says_something && call_scope::is_inside() && pipeline.wants(Topic::Report, exit.level, &exit.source.logger))
        .then(|| Arc::new(PendingError::new(&pipeline, State::Deferred(layers), Some(fingerprint), false)))
}
