//! Hands what the program logs as errors to error tracking, if the configuration asks for it.

use std::error::Error;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use tracing_core::field::{Field, Visit};

use crate::base::level::Level;
use crate::events::event::Source;

/// A line of the program.
pub struct LoggedError<'e> {
    /// Its level.
    pub level: Level,
    /// Where it was logged.
    pub source: Source<'e>,
    /// Its message.
    pub message: &'e str,
    /// The first of its fields that is an error.
    pub error: Option<&'e (dyn Error + 'static)>,
}

/// The least level that is captured, and what captures it.
static LEAST: AtomicU8 = AtomicU8::new(u8::MAX);
static CAPTURE: OnceLock<fn(&LoggedError<'_>)> = OnceLock::new();

/// Has lines from that level on captured; none if there is no level.
pub fn set(least: Option<Level>, capture: fn(&LoggedError<'_>)) {
    CAPTURE.get_or_init(|| capture);
    LEAST.store(least.map_or(u8::MAX, |level| level as u8), Ordering::Relaxed);
}

/// Whether lines of that level are captured.
pub fn wants(level: Level) -> bool {
    level as u8 >= LEAST.load(Ordering::Relaxed)
}

/// Captures a line.
pub fn capture(line: &LoggedError<'_>) {
    if let Some(capture) = CAPTURE.get() {
        capture(line);
    }
}

/// Visits the first field that is an error.
pub struct ErrorField<V>(Option<V>);

impl<V: FnOnce(&(dyn Error + 'static))> ErrorField<V> {
    /// Calls this with the error.
    pub const fn new(visit: V) -> Self {
        Self(Some(visit))
    }

    /// What was to be called, if there was no error.
    pub fn left(self) -> Option<V> {
        self.0
    }
}

impl<V: FnOnce(&(dyn Error + 'static))> Visit for ErrorField<V> {
    fn record_error(&mut self, _: &Field, value: &(dyn Error + 'static)) {
        if let Some(visit) = self.0.take() {
            visit(value);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}
