//! Which scopes this thread is in: those of the program, and that of an annotated call that nothing else encloses.
//!
//! A call that changes nothing reads and writes one small thread-local value at its start and at its end.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State { open: 0, is_inside: false, is_changed: false }) };
}

#[derive(Clone, Copy, Debug)]
struct State {
    /// How many scopes are entered on this thread.
    open: usize,
    /// Whether a call with a scope of its own runs here.
    is_inside: bool,
    /// Whether that call has changed its context or entered a scope.
    is_changed: bool,
}

/// Whether no scope of the program is entered, and no call has its own.
pub fn is_outside() -> bool {
    let State { open, is_inside, .. } = STATE.get();
    !is_inside && open == 0
}

/// How many scopes are entered.
pub fn open() -> usize {
    STATE.get().open
}

/// Notes how many scopes are entered.
pub fn set_open(open: usize) {
    let State { is_inside, .. } = STATE.get();
    STATE.set(State { open, is_inside, is_changed: is_inside });
}

/// Notes that the context changes.
pub fn set_changed() {
    let state = STATE.get();
    STATE.set(State { is_changed: state.is_inside, ..state });
}

/// Begins the scope of a call, unless something encloses the call. Returns whether it has begun.
#[inline]
#[must_use = "a scope that has begun is to be ended"]
pub fn begin() -> bool {
    let State { open, is_inside, .. } = STATE.get();
    let begins = !is_inside && open == 0;
    if begins {
        STATE.set(State { open, is_inside: true, is_changed: false });
    }
    begins
}

/// Ends the scope that [`begin`] has begun on this thread. Returns whether it was changed.
#[inline]
pub fn leave() -> bool {
    let State { open, is_changed, .. } = STATE.get();
    STATE.set(State { open, is_inside: false, is_changed: false });
    is_changed
}
