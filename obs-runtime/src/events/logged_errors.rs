//! Errors that this thread has just logged or captured, so that one error has one line at its severity: `#[instrument(err)]` logs
//! an error that `#[with_error_tracking]` captures, before or after.

use std::cell::Cell;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::{Duration, Instant};

use crate::base::call_scope;
use crate::events::log_span;

/// How much later the same text is taken as the same error. One leaves the other's function right away.
const SAME: Duration = Duration::from_millis(50);

#[derive(Clone, Copy)]
struct Seen {
    text: u64,
    at: Instant,
    /// How many annotated calls ran.
    depth: usize,
    /// The serial number of the span of `tracing`; 0 for none.
    span: u64,
}

thread_local! {
    static LOGGED: Cell<Option<Seen>> = const { Cell::new(None) };
    static CAPTURED: Cell<Option<Seen>> = const { Cell::new(None) };
}

impl Seen {
    fn now(text: &str, span: u64) -> Self {
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        Self { text: hasher.finish(), at: Instant::now(), depth: call_scope::depth(), span }
    }

    fn is_same(self, later: Self) -> bool {
        self.text == later.text && later.at.saturating_duration_since(self.at) < SAME
    }
}

/// `tracing` logs an error by its text in a span, of that serial number. Returns whether the error was captured in the span just
/// before, so that it has a line.
pub fn log(text: &str, span: u64) -> bool {
    let now = Seen::now(text, span);
    let captured = CAPTURED.try_with(Cell::get).ok().flatten();
    // In the span or in one that began later.
    let is_known = captured.is_some_and(|before| before.is_same(now) && span != 0 && before.span >= span);
    if !is_known {
        let _ = LOGGED.try_with(|logged| logged.set(Some(now)));
    }
    is_known
}

/// An annotated call captures an error by its text. Returns whether `tracing` has logged the error in the call just before, so that it
/// has a line.
pub fn capture(text: &str) -> bool {
    let now = Seen::now(text, log_span::current_serial());
    let _ = CAPTURED.try_with(|captured| captured.set(Some(now)));
    let logged = LOGGED.try_with(Cell::take).ok().flatten();
    logged.is_some_and(|before| before.is_same(now) && before.depth >= now.depth)
}
