//! The exporter that writes a line for each event.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::base::level::Level;
use crate::config::log_format::LogFormat;
use crate::config::validated::Config;
use crate::events::event::{Event, EventContext, Fact, HELP, Source};
use crate::events::field::Field;
use crate::exporters::interface::{Exporter, FlushError, Flushed, Topic};
use crate::exporters::log::destination::{Destination, Failure, NAME, count_dropped};
use crate::exporters::log::fields::JsonBuffers;
use crate::exporters::log::json::JsonFormat;
#[cfg(unix)]
use crate::exporters::log::log_device;
use crate::exporters::log::log_file::{LogFile, REOPEN};
use crate::exporters::log::log_output::{LineWriter, LogOutput, write_stderr};
use crate::exporters::log::sampler::Sampler;
use crate::exporters::log::shared_filter::SharedFilter;
use crate::exporters::log::terminal_summary::TerminalSummary;
use crate::exporters::log::text::TextFormat;
use crate::exporters::log::timestamp::TimestampFormatter;
use crate::metrics::delivery_stats;
use crate::redact::redactor::{Redacted, Redactor};

/// The file of `LOG_FILE` cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("LOG_FILE: `{}` cannot be opened for appending: {reason}", Redactor::new(&[], None).setting(path.to_string_lossy()))]
pub struct LogFileError {
    /// The path of the file.
    pub path: PathBuf,
    /// The error of the system.
    pub reason: io::Error,
}

/// Writes a line for each event, with one write to each destination.
pub struct LogExporter {
    json: JsonFormat,
    /// The filter of the console.
    filter: SharedFilter,
    destinations: Vec<Destination>,
    sampler: Option<Sampler>,
    /// The format of the terminal summary, if standard error is a terminal.
    summary: Option<TextFormat>,
    /// Summaries that wait for Sentry's answer. The end of each outermost command flushes, which takes them.
    waiting: Mutex<Vec<TerminalSummary>>,
    /// Whether the console is standard error.
    is_on_stderr: bool,
}

/// Buffers of a thread, so that a line needs no allocation.
#[derive(Default)]
struct Scratch {
    json: Vec<u8>,
    text: Vec<u8>,
    buffers: JsonBuffers,
    timestamps: TimestampFormatter,
}

/// A buffer with a larger capacity is freed after the line.
const MAX_KEPT_CAPACITY: usize = 256 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Opens `LOG_FILE`, if it is configured.
///
/// # Errors
/// When it cannot be opened for appending.
pub fn open_file(config: &Config) -> Result<Option<Box<dyn LineWriter>>, LogFileError> {
    let Some(path) = &config.log_file else { return Ok(None) };
    #[cfg(unix)]
    let device = log_device::open(path);
    #[cfg(not(unix))]
    let device = Ok(None);
    let opened = device.and_then(|device| match device {
        None => Ok(Box::new(LogFile::open(path, config.log_file_mode, Arc::clone(&REOPEN))?) as _),
        Some(device) => Ok(device),
    });
    opened.map(Some).map_err(|reason| LogFileError { path: path.clone(), reason })
}

impl LogExporter {
    /// An exporter that writes to `console`, and to a file opened by [`open_file`].
    pub fn new(config: &Config, console: LogOutput, file: Option<Box<dyn LineWriter>>) -> Self {
        let text = |format, coloured| match format {
            LogFormat::Json => None,
            LogFormat::Text => Some(TextFormat { coloured }),
        };
        let filter = SharedFilter::new(config.log_level.clone());
        let LogOutput { name, writer, coloured, is_stderr, stderr_is_terminal } = console;
        let console = Destination::new(name, filter.clone(), text(config.log_format, coloured), writer);
        let file = file.map(|writer| {
            let filter = config.log_file_level.clone().map_or_else(|| filter.clone(), SharedFilter::new);
            Destination::new("LOG_FILE", filter, text(config.log_file_format, false), writer)
        });
        let destinations = std::iter::once(console).chain(file).collect();
        let summary = stderr_is_terminal.then_some(TextFormat { coloured });
        let (json, sampler) = (JsonFormat::new(config), config.log_sampling.map(Sampler::new));
        Self { json, filter, destinations, sampler, summary, waiting: Mutex::default(), is_on_stderr: is_stderr }
    }

    /// The filter of the console, which can be replaced at run time.
    pub const fn filter(&self) -> &SharedFilter {
        &self.filter
    }

    fn write_sampled(&self, event: &Event<'_>, scratch: &mut Scratch) {
        let left_out = self.sampler.as_ref().map_or(Some(0), |sampler| sampler.sample(event));
        if let Some(left_out) = left_out {
            self.write(event, left_out, scratch);
        }
    }

    fn write(&self, event: &Event<'_>, left_out: u64, scratch: &mut Scratch) {
        if let Some(failure) = self.write_to(self.destinations.iter(), event, left_out, scratch)
            && delivery_stats::record(NAME, Duration::ZERO, Err(failure.reason.clone()))
        {
            let healthy = self.destinations.iter().filter(|destination| !destination.is_failing());
            // A failure of the warning is reported by the next flush.
            let _ = self.write_to(healthy, &warning(&failure), 0, scratch);
        }
        if let Some(summary) = self.summary.and_then(|format| TerminalSummary::of(event, format)) {
            if summary.is_waiting() {
                self.waiting().push(summary);
            } else {
                write_summary(summary);
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<TerminalSummary>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes a line to each destination that enables it. Returns a failure that is the first of its destination since the
    /// last flush.
    fn write_to<'d>(
        &self,
        destinations: impl Iterator<Item = &'d Destination>,
        event: &Event<'_>,
        left_out: u64,
        scratch: &mut Scratch,
    ) -> Option<Failure> {
        let Scratch { json, text, buffers, timestamps } = scratch;
        json.clear();
        let mut failure = None;
        for destination in destinations {
            // `wants` has checked the filter if there is nothing else that may want the event.
            if (self.destinations.len() > 1 || self.summary.is_some())
                && !destination.filter.enables(event.level, &event.source.logger)
            {
                continue;
            }
            let new_failure = if let Some(format) = destination.text {
                text.clear();
                format.write(event, left_out, text, timestamps);
                text.push(b'\n');
                destination.write(text)
            } else {
                if json.is_empty() {
                    self.json.write(event, left_out, json, buffers, timestamps);
                    json.push(b'\n');
                }
                destination.write(json)
            };
            failure = failure.or(new_failure);
        }
        failure
    }
}

/// The warning that a destination fails.
fn warning(failure: &Failure) -> Event<'static> {
    let effect = if failure.drops_lines { "log lines are dropped" } else { "log lines go to the old file" };
    Event {
        time: SystemTime::now(),
        level: Level::Warning,
        source: Source { logger: "obs_runtime".into(), ..Source::default() },
        context: EventContext::default(),
        fact: Fact::Log { message: format!("{effect}: {}", failure.reason).into() },
        fields: vec![Field::new(HELP, "lines-dropped")],
        tags: Vec::new(),
    }
}

impl Exporter for LogExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        match topic {
            Topic::Fact if self.summary.is_some() && level >= Level::Error => true,
            Topic::Call | Topic::Log | Topic::Fact => {
                self.destinations.iter().any(|destination| destination.filter.enables(level, logger))
            }
            // The line was written when the error was captured.
            Topic::Report => false,
        }
    }

    fn replaces_panic_message(&self, logger: &str) -> bool {
        self.is_on_stderr && self.filter.enables(Level::Error, logger)
    }

    fn least_level(&self) -> Option<Level> {
        self.destinations.iter().filter_map(|destination| destination.filter.least()).min()
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let is_written = SCRATCH.try_with(|scratch| {
            let Ok(mut scratch) = scratch.try_borrow_mut() else { return false };
            self.write_sampled(event, &mut scratch);
            let Scratch { json, text, .. } = &mut *scratch;
            for buffer in [json, text] {
                if buffer.capacity() > MAX_KEPT_CAPACITY {
                    *buffer = Vec::new();
                }
            }
            true
        });
        // The thread is ending.
        if is_written != Ok(true) {
            self.write_sampled(event, &mut Scratch::default());
        }
    }

    fn drop_reasons(&self) -> &'static [&'static str] {
        &["panic", "timeout", "write"]
    }

    fn flush(&self, _: Instant) -> Result<Flushed, FlushError> {
        if let Some(sampler) = &self.sampler {
            sampler.take_left_out(|event, left_out| {
                // The filter may have changed since.
                if self.wants(Topic::Call, event.level, &event.source.logger) {
                    self.write(event, left_out, &mut Scratch::default());
                }
            });
        }
        let failures = self.destinations.iter().filter_map(Destination::take_failure);
        let failures: Vec<String> = failures.map(|failure| failure.reason).collect();
        if failures.is_empty() {
            Ok(Flushed::Delivered)
        } else {
            Err(FlushError { sink: NAME, reason: failures.join("; ") })
        }
    }

    fn after_flush(&self) -> Option<Box<dyn FnOnce() + Send + '_>> {
        let waiting = std::mem::take(&mut *self.waiting());
        (!waiting.is_empty()).then(|| Box::new(|| waiting.into_iter().for_each(write_summary)) as _)
    }
}

fn write_summary(summary: TerminalSummary) {
    if let Err(error) = write_stderr(&summary.into_line()) {
        count_dropped(&error);
    }
}

impl fmt::Debug for LogExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogExporter").field("filter", &self.filter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
