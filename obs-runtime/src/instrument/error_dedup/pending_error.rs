//! An error that was captured and may still pass other calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use crate::base::clock::Stamp;
use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::events::event_id::EventId;
use crate::events::fingerprint::{ErrorFingerprint, Match};
use crate::events::report::{Cause, Layer};
use crate::exporters::error_event::ErrorEvent;
use crate::pipeline::interface::Pipeline;

/// Most layers of one error: a recursive function may be passed any number of times.
const MAX_LAYERS: usize = 32;

/// Most causes of one error.
const MAX_CAUSES: usize = 32;

/// The message of a panic of which nothing is known.
pub const UNKNOWN_PANIC: &str = "panicked";

/// What a command says of itself. The context inside the command carries it; each error that is captured there has it, also
/// one that does not pass the command.
#[derive(Clone, Debug)]
pub struct CommandLayer(pub Layer<'static>);

/// An error, or a panic, from its capture on. It is reported once: at the latest when it is dropped.
pub struct PendingError {
    /// Does not keep the pipeline alive; its guard reports what is pending.
    pipeline: Weak<dyn Pipeline>,
    captured_at: Stamp,
    content: Mutex<Content>,
}

struct Content {
    state: State,
    /// As it was seen last; `None` for a panic.
    fingerprint: Option<ErrorFingerprint>,
    /// Whether the program has captured it by a call of its own.
    is_manual: bool,
    /// Whether a span has its stack.
    has_told_stack: bool,
}

/// What is to become of an error.
pub enum State {
    /// It is reported only if the call around captures it; these layers are added then.
    Deferred(Vec<Layer<'static>>),
    /// It is counted, and not reported: no sink wants it, or it is over the limit of its location.
    Suppressed,
    /// It is still to be reported.
    Open(Box<ErrorEvent>),
    /// It was reported.
    Reported(EventId),
}

impl PendingError {
    pub(super) fn new(
        pipeline: &Arc<dyn Pipeline>,
        state: State,
        fingerprint: Option<ErrorFingerprint>,
        is_manual: bool,
    ) -> Self {
        let content = Mutex::new(Content { state, fingerprint, is_manual, has_told_stack: false });
        Self { pipeline: Arc::downgrade(pipeline), captured_at: Stamp::now(), content }
    }

    fn content(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The id of its report, if there is one.
    pub(super) fn event(&self) -> Option<EventId> {
        match &self.content().state {
            State::Open(event) => Some(event.report.id),
            State::Reported(id) => Some(*id),
            State::Deferred(_) | State::Suppressed => None,
        }
    }

    /// Its stack, the first time.
    pub(super) fn take_stack(&self) -> Option<Stack> {
        let mut content = self.content();
        let State::Open(event) = &content.state else { return None };
        let stack = event.report.stack.clone().filter(|_| !content.has_told_stack);
        content.has_told_stack = true;
        stack
    }

    /// How long ago it was captured.
    pub(super) fn age(&self) -> Duration {
        self.captured_at.elapsed()
    }

    pub(super) fn is_before(&self, start: Stamp) -> bool {
        self.captured_at.is_before(start)
    }

    pub(super) fn is_of(&self, pipeline: &Arc<dyn Pipeline>) -> bool {
        std::ptr::addr_eq(self.pipeline.as_ptr(), Arc::as_ptr(pipeline))
    }

    pub(super) fn is_open(&self) -> bool {
        matches!(self.content().state, State::Open(_))
    }

    pub(super) fn is_panic(&self) -> bool {
        self.content().fingerprint.is_none()
    }

    /// What it has in common with an error that is seen now. Manual captures only match what annotated functions have
    /// captured: two of them are of two errors, as nothing says that they are of one.
    pub(super) fn matches(&self, later: &ErrorFingerprint, is_manual: bool) -> Option<Match> {
        let content = self.content();
        if is_manual && (content.is_manual || matches!(content.state, State::Deferred(_))) {
            return None;
        }
        content.fingerprint.as_ref()?.matches(later)
    }

    /// The layers of a deferred error.
    pub(super) fn take_deferred(&self) -> Option<Vec<Layer<'static>>> {
        match &mut self.content().state {
            State::Deferred(layers) => Some(std::mem::take(layers)),
            State::Suppressed | State::Open(_) | State::Reported(_) => None,
        }
    }

    /// Adds what a call that it passes says of it.
    pub(super) fn add(
        &self,
        layer: Layer<'static>,
        level: Level,
        fingerprint: Option<ErrorFingerprint>,
        is_manual: bool,
    ) {
        let mut content = self.content();
        content.is_manual |= is_manual;
        if let State::Open(event) = &mut content.state {
            event.level = event.level.max(level);
            let report = &mut event.report;
            if report.layers.is_empty() && !is_manual {
                // A panic is captured before it passes any call.
                report.operation = layer.name.clone();
            }
            if report.layers.len() < MAX_LAYERS {
                report.layers.push(layer);
            }
            if let Some(fingerprint) = &fingerprint {
                add_causes(&mut report.causes, &fingerprint.causes);
            }
        }
        content.fingerprint = fingerprint.or(content.fingerprint.take());
    }

    /// Replaces the message of a panic of which nothing was known.
    pub(super) fn explain(&self, words: &str) {
        if let State::Open(event) = &mut self.content().state
            && let [cause] = &mut *event.report.causes
            && cause.message == UNKNOWN_PANIC
        {
            cause.message = words.to_owned().into();
        }
    }

    /// Reports the error if it is still to be reported.
    pub(super) fn report(&self) {
        let event = {
            let state = &mut self.content().state;
            let State::Open(event) = state else { return };
            let id = event.report.id;
            let State::Open(event) = std::mem::replace(state, State::Reported(id)) else { return };
            event
        };
        let Some(pipeline) = self.pipeline.upgrade() else { return };
        let mut event = *event;
        let layers = &event.report.layers;
        if let Some(command) = event.context.extension::<CommandLayer>()
            && !layers.iter().any(|layer| (&layer.name, layer.attribute) == (&command.0.name, command.0.attribute))
        {
            event.report.enclosing = Some(command.0.clone());
        }
        pipeline.report(event);
    }
}

impl Drop for PendingError {
    fn drop(&mut self) {
        self.report();
    }
}

impl fmt::Debug for PendingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PendingError").field("event", &self.event()).finish_non_exhaustive()
    }
}

/// Adds the causes of an error that was converted: what it is now comes before what it was.
fn add_causes(causes: &mut Vec<Cause<'static>>, later: &[Cause<'static>]) {
    let is_known = |cause: &Cause<'_>| causes.iter().any(|known| known.message == cause.message);
    let new: Vec<_> = later.iter().take_while(|cause| !is_known(cause)).cloned().collect();
    let room = MAX_CAUSES.saturating_sub(causes.len());
    causes.splice(0..0, new.into_iter().take(room));
}
