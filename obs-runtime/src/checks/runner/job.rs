//! A check that is to run.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The time limit in place of one that overflows the clock.
pub const NO_LIMIT: Duration = Duration::from_hours(24 * 365);

/// What a check's function gives: its verdict, or a future of it.
pub enum Answer<V> {
    /// It was a plain function.
    Ready(V),
    /// It was an async one. It runs on the check's own thread, so it need not be `Send`.
    Pending(Pin<Box<dyn Future<Output = V>>>),
}

/// By what a check is known: where its declaration lies, and which of its parts it is.
pub type Key = (usize, String);

/// A check to be run.
pub struct Job<V> {
    /// By what it is known.
    pub key: Key,
    /// Calls the check.
    pub run: Box<dyn FnOnce() -> Answer<V> + Send>,
    /// How long it may take.
    pub timeout: Duration,
}
