//! One destination of log lines: the console or the log file.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exporters::log::log_output::LineWriter;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::exporters::log::text::TextFormat;
use crate::metrics::drop_counters;

/// Name of the log exporter.
pub const NAME: &str = "log";

/// Where lines are written, which ones, and in which format.
pub struct Destination {
    name: &'static str,
    /// Which lines are written.
    pub filter: SharedFilter,
    /// `None` for JSON.
    pub text: Option<TextFormat>,
    writer: Box<dyn LineWriter>,
    /// The first failure since the last flush.
    failure: Mutex<Option<String>>,
}

impl Destination {
    pub fn new(
        name: &'static str,
        filter: SharedFilter,
        text: Option<TextFormat>,
        writer: Box<dyn LineWriter>,
    ) -> Self {
        Self { name, filter, text, writer, failure: Mutex::default() }
    }

    /// Writes a line or counts it as dropped. Returns the failure if it is the first since the last flush.
    pub fn write(&self, line: &[u8]) -> Option<String> {
        let error = self.writer.write_line(line).err()?;
        count_dropped(&error);
        let mut failure = self.failure();
        let is_first = failure.is_none();
        // Only the kind: the message of an error from the program's own writer is not redacted.
        is_first.then(|| failure.insert(format!("{}: {}", self.name, error.kind())).clone())
    }

    pub fn is_failing(&self) -> bool {
        self.failure().is_some()
    }

    /// The first failure since the last call.
    pub fn take_failure(&self) -> Option<String> {
        self.failure().take()
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one line as dropped.
pub fn count_dropped(error: &io::Error) {
    let reason = if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "write" };
    drop_counters::count(NAME, reason, 1);
}
