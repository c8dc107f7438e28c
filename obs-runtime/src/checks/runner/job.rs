//! A check that is ready to be called.

use std::future::Future;
use std::pin::Pin;
use std::time::{Duration, Instant};

/// Identifies a check: the identity of its declaration, and the item for one with `for_each`.
pub type Key = (usize, String);

/// What a check's function returns.
pub enum Answer<V> {
    /// The value of a plain function.
    Ready(V),
    /// The future of an async function. It is polled on the check's own thread, so it need not be `Send`.
    Pending(Pin<Box<dyn Future<Output = V>>>),
}

/// One call of a check.
pub struct Job<V> {
    pub key: Key,
    pub run: Box<dyn FnOnce() -> Answer<V> + Send>,
    pub timeout: Duration,
    /// The operation of the call: what it spends and logs counts for it. None keeps that of the run.
    pub operation: Option<String>,
    /// A call that began earlier is not shared: what it read may be older than what the run has to see.
    pub not_before: Option<Instant>,
}
