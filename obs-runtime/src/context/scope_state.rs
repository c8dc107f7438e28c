//! Which scopes this thread is in: those of the program, and that of an annotated call that nothing else encloses.
//!
//! A call that changes nothing reads and writes one small thread-local value at its start and at its end.

use std::cell::Cell;

thread_local! {
    static STATE: Cell<State> = const { Cell::new(State(0)) };
}

/// How many scopes are entered on this thread, and two flags. One integer, so that a call reads and writes it at once.
#[derive(Clone, Copy, Debug)]
struct State(u32);

impl State {
    /// A call with a scope of its own runs here.
    const INSIDE: u32 = 1;
    /// That call has changed its context or entered a scope.
    const CHANGED: u32 = 2;
    const FLAGS: u32 = Self::INSIDE | Self::CHANGED;

    const fn open(self) -> u32 {
        self.0 & !Self::FLAGS
    }

    /// The state with [`CHANGED`](Self::CHANGED), if a call with a scope of its own runs here.
    const fn changed(self) -> Self {
        if self.0 & Self::INSIDE == 0 { self } else { Self(self.0 | Self::CHANGED) }
    }
}

/// Whether no scope of the program is entered, and no call has its own.
pub fn is_outside() -> bool {
    is_unscoped(STATE.get())
}

#[inline]
const fn is_unscoped(state: State) -> bool {
    state.0 & !State::CHANGED == 0
}

/// Whether a scope is entered.
pub fn is_open() -> bool {
    STATE.get().open() != 0
}

/// Notes how many scopes are entered.
pub fn set_open(open: usize) {
    let open = u32::try_from(open).unwrap_or(u32::MAX).min(u32::MAX >> 2) << 2;
    let state = STATE.get();
    STATE.set(State(open | state.0 & State::FLAGS).changed());
}

/// Notes that the context changes.
pub fn set_changed() {
    STATE.set(STATE.get().changed());
}

/// Begins the scope of a call, unless something encloses the call. Returns whether it has begun.
#[inline]
#[must_use = "a scope that has begun is to be ended"]
pub fn begin() -> bool {
    let begins = is_unscoped(STATE.get());
    if begins {
        STATE.set(State(State::INSIDE));
    }
    begins
}

/// Ends the scope that [`begin`] has begun on this thread. Returns whether it was changed.
#[inline]
pub fn leave() -> bool {
    let state = STATE.get();
    STATE.set(State(state.open()));
    state.0 & State::CHANGED != 0
}
