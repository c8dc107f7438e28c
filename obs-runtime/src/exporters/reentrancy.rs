//! Keeps an exporter from emitting events while it handles one, which would never end.

use std::cell::Cell;
use std::marker::PhantomData;

use crate::metrics::drop_counters;

thread_local! {
    static ENTERED: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, events that this thread emits are dropped and counted as `reentrant`.
pub struct Reentrancy(PhantomData<*const ()>);

impl Reentrancy {
    /// Marks this thread. Returns `None`, and counts a dropped event, when it is marked already.
    pub fn enter() -> Option<Self> {
        let entered = Self::enter_quietly();
        if entered.is_none() {
            drop_counters::count("pipeline", "reentrant", 1);
        }
        entered
    }

    /// Whether this thread is marked.
    pub fn is_entered() -> bool {
        ENTERED.get()
    }

    /// Like [`enter`](Self::enter), without counting.
    pub fn enter_quietly() -> Option<Self> {
        (!ENTERED.replace(true)).then_some(Self(PhantomData))
    }
}

impl Drop for Reentrancy {
    fn drop(&mut self) {
        ENTERED.set(false);
    }
}
