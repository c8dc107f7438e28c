//! The scope of an annotated call that nothing encloses: what the call sets in its context ends with it.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::context::current::{Context, OpenScopes};
use crate::context::scope_state;
use crate::metrics::drop_counters;

/// Ends the scope of a call that [`begin`](scope_state::begin) has begun on this thread.
#[inline]
pub fn end() {
    // A scope that the call has entered and returned ends when its guard is dropped.
    if scope_state::leave() && !scope_state::is_open() {
        Context::replace(Context::default());
    }
}

/// What a future keeps of its own scope while it is not polled.
#[derive(Debug)]
pub struct KeptScope {
    context: Context,
    open: OpenScopes,
}

impl KeptScope {
    /// Enters the scope again, where nothing encloses the poll.
    pub fn enter(self) {
        self.context.enter_kept(self.open);
    }

    /// Ends the scope that [`begin`](scope_state::begin) has begun for a poll on this thread. Returns what the future has set or
    /// entered, if anything.
    #[inline]
    pub fn leave() -> Option<Box<Self>> {
        scope_state::leave().then(|| {
            let (context, open) = Context::leave_kept();
            Box::new(Self { context, open })
        })
    }
}

/// Logs a warning.
static WARN: OnceLock<fn(String)> = OnceLock::new();

/// Sets what logs warnings.
pub fn set_warn(warn: fn(String)) {
    let _ = WARN.set(warn);
}

/// Counts a change of the context outside of any scope, which has no effect, and warns of the first one.
pub(super) fn ignored(function: &'static str) {
    static WARNED: AtomicBool = AtomicBool::new(false);
    drop_counters::count("context", "no_scope", 1);
    if let Some(warn) = WARN.get()
        && !WARNED.swap(true, Ordering::Relaxed)
    {
        warn(format!(
            "{function} outside of any scope has no effect: call it within an annotated function, a command, or a scope of \
             LogContext (counted as obs.dropped{{sink=\"context\",reason=\"no_scope\"}})"
        ));
    }
}
