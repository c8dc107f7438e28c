//! One destination of log lines: the console or the log file.

use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::exporters::log::log_output::LineWriter;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::exporters::log::text::TextFormat;
use crate::metrics::drop_counters;

/// Name of the log exporter.
pub const NAME: &str = "log";

/// What went wrong with a line.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The destination and the reason.
    pub reason: String,
    /// Whether the line is lost.
    pub drops_lines: bool,
}

/// Where lines are written, which ones, and in which format.
pub struct Destination {
    name: &'static str,
    /// Which lines are written.
    pub filter: SharedFilter,
    /// `None` for JSON.
    pub text: Option<TextFormat>,
    writer: Box<dyn LineWriter>,
    /// The first failure since the last flush.
    failure: Mutex<Option<Failure>>,
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
    pub fn write(&self, line: &[u8]) -> Option<Failure> {
        let written = self.writer.write_line(line);
        let drops_lines = written.is_err();
        let reason = match written {
            Ok(()) => self.writer.take_problem()?,
            Err(error) => {
                count_dropped(&error);
                // Only the kind: the message of an error from the program's own writer is not redacted.
                error.kind().to_string()
            }
        };
        let mut failure = self.failure();
        let is_first = failure.is_none();
        is_first.then(|| failure.insert(Failure { reason: format!("{}: {reason}", self.name), drops_lines }).clone())
    }

    pub fn is_failing(&self) -> bool {
        self.failure().is_some()
    }

    /// The first failure since the last call.
    pub fn take_failure(&self) -> Option<Failure> {
        self.failure().take()
    }

    fn failure(&self) -> MutexGuard<'_, Option<Failure>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one line as dropped.
pub fn count_dropped(error: &io::Error) {
    let reason = if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "write" };
    drop_counters::count(NAME, reason, 1);
}
