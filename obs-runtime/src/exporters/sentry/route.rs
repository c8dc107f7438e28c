//! What becomes of an envelope that the client sends on a thread.

use std::cell::Cell;
use std::time::Instant;

/// What becomes of an envelope.
#[derive(Clone, Copy, Debug)]
pub enum Route {
    /// It is queued: the program sends it.
    Queue,
    /// It is sent, and the answer waited for until then.
    SendUntil(Instant),
    /// It is kept for the next run.
    Keep,
}

thread_local! {
    static ROUTE: Cell<Route> = const { Cell::new(Route::Queue) };
}

/// The route of this thread.
pub fn current() -> Route {
    ROUTE.get()
}

/// Has what the client sends in `run` go that way.
pub fn routed<R>(route: Route, run: impl FnOnce() -> R) -> R {
    let before = ROUTE.replace(route);
    let result = run();
    ROUTE.set(before);
    result
}

/// Ends a route that a panic has left.
pub fn reset() {
    ROUTE.set(Route::Queue);
}
