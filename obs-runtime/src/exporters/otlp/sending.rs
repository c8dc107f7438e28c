//! Marks threads that send requests.

use std::cell::Cell;
use std::marker::PhantomData;

thread_local! {
    static IS_SENDING: Cell<bool> = const { Cell::new(false) };
}

/// While it lives, what this thread logs is no log record of OTLP: the lines of the client about a request would be the next request,
/// without end. They are written to the other destinations of log lines.
pub struct Sending(PhantomData<*const ()>);

impl Sending {
    /// Marks this thread.
    pub fn begin() -> Self {
        IS_SENDING.set(true);
        Self(PhantomData)
    }

    /// Whether this thread is marked.
    pub fn is_here() -> bool {
        IS_SENDING.get()
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        IS_SENDING.set(false);
    }
}
