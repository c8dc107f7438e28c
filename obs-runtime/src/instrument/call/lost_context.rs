//! A warning for calls that have lost the context of their command, in debug builds.

use std::collections::BTreeSet;
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::context::current::Context;
use crate::context::scope_state;
use crate::metrics::callsite::{Callsite, CallsiteKind};
use crate::pipeline::global;

/// How many commands are running.
static COMMANDS: AtomicUsize = AtomicUsize::new(0);

/// The call sites that were warned of, by their addresses.
static WARNED: Mutex<BTreeSet<usize>> = Mutex::new(BTreeSet::new());

/// A call begins, and has no scope of its own yet.
pub fn call_begins(callsite: &'static Callsite) {
    if callsite.kind() == CallsiteKind::Command {
        COMMANDS.fetch_add(1, Ordering::Relaxed);
    } else if scope_state::is_outside() {
        warn_of(callsite);
    }
}

/// A command has ended.
pub fn command_ended() {
    let _ = COMMANDS.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |running| running.checked_sub(1));
}

/// Warns once for each call site of a call that nothing encloses, on a thread of a tokio runtime, while a command is running: most likely it was
/// spawned by that command without its context.
#[cold]
fn warn_of(callsite: &'static Callsite) {
    if COMMANDS.load(Ordering::Relaxed) == 0
        || Context::is_entered()
        || global::pipeline().is_none()
        || tokio::runtime::Handle::try_current().is_err()
        || !WARNED.lock().unwrap_or_else(PoisonError::into_inner).insert(ptr::from_ref(callsite).addr())
    {
        return;
    }
    let place = callsite.place();
    global::warn_with_help(
        "lost-context",
        format!(
            "`{}` ({}:{}) runs in a task without context while a command is running: its lines, errors and spans are not linked to \
             the command; spawn the task by obs_runtime::spawn or obs_runtime::JoinSet, or add .in_current_context() (only debug builds \
             warn, once for each function)",
            callsite.name(),
            place.file,
            place.line
        ),
    );
}
