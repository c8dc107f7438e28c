//! Log lines: JSON or text on standard error, and JSON in a file. Standard output stays the program's own.

mod json;
mod object;
mod text;
mod timestamp;
mod writer;

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use crate::config::{Config, LogFilter, LogFormat};
use crate::drops;
use crate::event::Event;
use crate::level::Level;
use crate::redact::Redacted;
use crate::sinks::{FlushError, Sink, Topic};
use json::Json;
use object::Keys;
use text::Text;
use writer::{AppendedFile, LineWriter, StandardError};

/// The file that `LOG_FILE` names cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("LOG_FILE: `{}` cannot be opened for appending: {reason}", path.display())]
pub struct LogFileError {
    /// Its path.
    pub path: PathBuf,
    /// Why.
    pub reason: io::Error,
}

/// Writes a line for each event, one write a line.
pub struct LogSink {
    filter: LogFilter,
    json: Json,
    /// How lines on the console are written if not as JSON.
    text: Option<Text>,
    console: Box<dyn LineWriter>,
    file: Option<Box<dyn LineWriter>>,
}

/// What a thread writes its lines in; kept, so that a line needs no allocation.
#[derive(Default)]
struct Scratch {
    line: Vec<u8>,
    keys: Keys,
}

/// A buffer that one huge line has made longer than this is given back.
const KEPT: usize = 256 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl LogSink {
    /// A sink that writes to standard error as configured, and to `LOG_FILE` too if there is one.
    ///
    /// # Errors
    /// When the file cannot be opened for appending.
    pub fn new(config: &Config) -> Result<Self, LogFileError> {
        let file: Option<Box<dyn LineWriter>> = match &config.log_file {
            Some(path) => match AppendedFile::open(path) {
                Ok(file) => Some(Box::new(file)),
                Err(reason) => return Err(LogFileError { path: path.clone(), reason }),
            },
            None => None,
        };
        Ok(Self::with_writers(config, Text::for_standard_error(), Box::new(StandardError), file))
    }

    fn with_writers(
        config: &Config,
        text: Text,
        console: Box<dyn LineWriter>,
        file: Option<Box<dyn LineWriter>>,
    ) -> Self {
        let text = match config.log_format {
            LogFormat::Json => None,
            LogFormat::Text => Some(text),
        };
        Self { filter: config.log_level.clone(), json: Json::new(config), text, console, file }
    }

    fn write_with(&self, event: &Event<'_>, scratch: &mut Scratch) {
        if let Some(text) = &self.text {
            scratch.line.clear();
            text.write(event, &mut scratch.line);
            put(&*self.console, &mut scratch.line);
        }
        if self.text.is_some() && self.file.is_none() {
            return;
        }
        scratch.line.clear();
        self.json.write(event, &mut scratch.line, &mut scratch.keys);
        if self.text.is_none() {
            put(&*self.console, &mut scratch.line);
        }
        if let Some(file) = &self.file {
            put(&**file, &mut scratch.line);
        }
    }
}

/// Writes a line, or counts that it was lost.
fn put(writer: &dyn LineWriter, line: &mut Vec<u8>) {
    if line.last() != Some(&b'\n') {
        line.push(b'\n');
    }
    if writer.write_line(line).is_err() {
        drops::count("log", "write", 1);
    }
}

impl Sink for LogSink {
    fn name(&self) -> &'static str {
        "log"
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        match topic {
            Topic::Call | Topic::Log | Topic::Fact => self.filter.enables(level, logger),
        }
    }

    fn least_level(&self) -> Option<Level> {
        self.filter.least()
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let kept = SCRATCH.try_with(|scratch| {
            let Ok(mut scratch) = scratch.try_borrow_mut() else { return false };
            self.write_with(event, &mut scratch);
            if scratch.line.capacity() > KEPT {
                scratch.line = Vec::new();
            }
            true
        });
        // The thread is ending.
        if kept != Ok(true) {
            self.write_with(event, &mut Scratch::default());
        }
    }

    fn flush(&self, _: Instant) -> Result<(), FlushError> {
        // Every line was written when it was taken.
        Ok(())
    }
}

impl fmt::Debug for LogSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogSink").field("filter", &self.filter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
