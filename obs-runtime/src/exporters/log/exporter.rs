//! Log lines: JSON or text on standard error, and in a file. Standard output stays the program's own.

use std::cell::RefCell;
use std::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use crate::base::level::Level;
use crate::config::log_format::LogFormat;
use crate::config::validated::Config;
use crate::events::event::{Event, EventContext, Fact, Source};
use crate::exporters::interface::{Exporter, FlushError, Topic};
use crate::exporters::log::file::AppendedFile;
use crate::exporters::log::file::REOPEN;
use crate::exporters::log::json::{Json, Room};
use crate::exporters::log::level::SharedFilter;
use crate::exporters::log::sampler::Sampler;
use crate::exporters::log::terminal_summary;
use crate::exporters::log::text::Text;
use crate::exporters::log::timestamp::Clock;
use crate::exporters::log::writer::LogOutput;
use crate::exporters::log::writer::{LineWriter, tell};
use crate::metrics::delivery_stats;
use crate::metrics::drop_counters;
use crate::redact::redactor::Redacted;

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
pub struct LogExporter {
    json: Json,
    /// Which lines are written to the console.
    filter: SharedFilter,
    outputs: Vec<Output>,
    sampler: Option<Sampler>,
    /// How a person at a terminal is told of a command that failed, if there is one.
    told: Option<Text>,
}

/// A place that lines are written to, how, and which.
struct Output {
    name: &'static str,
    filter: SharedFilter,
    /// How lines are written if not as JSON.
    text: Option<Text>,
    writer: Box<dyn LineWriter>,
    /// The first failure since the last flush.
    failure: Mutex<Option<String>>,
}

impl Output {
    /// Writes a line or counts it as dropped. Returns the failure if it is the first one since the last flush.
    fn write(&self, line: &[u8]) -> Option<String> {
        let error = self.writer.write_line(line).err()?;
        count_dropped(&error);
        let mut failure = self.failure();
        let is_first = failure.is_none();
        // The kind alone: an error of the program's own writer can say anything.
        is_first.then(|| failure.insert(format!("{}: {}", self.name, error.kind())).clone())
    }

    fn failure(&self) -> MutexGuard<'_, Option<String>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count_dropped(error: &io::Error) {
    let reason = if error.kind() == io::ErrorKind::TimedOut { "timeout" } else { "write" };
    drop_counters::count(NAME, reason, 1);
}

/// What a thread writes its lines in; kept, so that a line needs no allocation.
#[derive(Default)]
struct Scratch {
    json: Vec<u8>,
    text: Vec<u8>,
    room: Room,
    clock: Clock,
}

const NAME: &str = "log";

/// A buffer that one huge line has made longer than this is given back.
const KEPT: usize = 256 * 1024;

thread_local! {
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl LogExporter {
    /// A sink that writes to `console` as configured, and to `LOG_FILE` too if there is one.
    ///
    /// # Errors
    /// When the file cannot be opened for appending.
    pub fn new(config: &Config, console: LogOutput) -> Result<Self, LogFileError> {
        let file: Option<Box<dyn LineWriter>> = match &config.log_file {
            Some(path) => match AppendedFile::open(path, Arc::clone(&REOPEN)) {
                Ok(file) => Some(Box::new(file)),
                Err(reason) => return Err(LogFileError { path: path.clone(), reason }),
            },
            None => None,
        };
        Ok(Self::with_file(config, console, file))
    }

    fn with_file(config: &Config, console: LogOutput, file: Option<Box<dyn LineWriter>>) -> Self {
        let text = |format, coloured| match format {
            LogFormat::Json => None,
            LogFormat::Text => Some(Text { coloured }),
        };
        let filter = SharedFilter::new(config.log_level.clone());
        let LogOutput { name, writer, coloured, is_watched } = console;
        let console = Output {
            name,
            filter: filter.clone(),
            text: text(config.log_format, coloured),
            writer,
            failure: Mutex::default(),
        };
        let file = file.map(|writer| Output {
            name: "LOG_FILE",
            // Without a level of its own it follows that of the console.
            filter: config.log_file_level.clone().map_or_else(|| filter.clone(), SharedFilter::new),
            text: text(config.log_file_format, false),
            writer,
            failure: Mutex::default(),
        });
        let outputs = std::iter::once(console).chain(file).collect();
        let told = is_watched.then_some(Text { coloured });
        Self { json: Json::new(config), filter, outputs, sampler: config.log_sampling.map(Sampler::new), told }
    }

    /// Which lines are written to the console, to be changed while the program runs.
    pub const fn filter(&self) -> &SharedFilter {
        &self.filter
    }

    fn write_with(&self, event: &Event<'_>, scratch: &mut Scratch) {
        let sampled = self.sampler.as_ref().map_or(Some(0), |sampler| sampler.left_out_before(event));
        if let Some(left_out) = sampled {
            self.write_line(event, left_out, scratch);
        }
    }

    fn write_line(&self, event: &Event<'_>, left_out: u64, scratch: &mut Scratch) {
        if let Some(failure) = self.write_to(self.outputs.iter(), event, left_out, scratch)
            && delivery_stats::record(NAME, Duration::ZERO, Err(failure.clone()))
        {
            let healthy = self.outputs.iter().filter(|output| output.failure().is_none());
            // Its own failure is reported by the next flush.
            let _ = self.write_to(healthy, &dropping(&failure), 0, scratch);
        }
        if let Some(words) = self.told
            && terminal_summary::concerns(event)
        {
            scratch.text.clear();
            terminal_summary::write(event, words, &mut scratch.text);
            if let Err(error) = tell(&scratch.text) {
                count_dropped(&error);
            }
        }
    }

    /// Writes a line to these outputs. Returns the first failure of one that has not failed since the last flush.
    fn write_to<'o>(
        &self,
        outputs: impl Iterator<Item = &'o Output>,
        event: &Event<'_>,
        left_out: u64,
        scratch: &mut Scratch,
    ) -> Option<String> {
        let Scratch { json, text, room, clock } = scratch;
        json.clear();
        let mut failure = None;
        for output in outputs {
            // Of a single one it is known, unless somebody else has asked for the event.
            if (self.outputs.len() > 1 || self.told.is_some())
                && !output.filter.enables(event.level, &event.source.logger)
            {
                continue;
            }
            let failed = if let Some(words) = output.text {
                text.clear();
                words.write(event, left_out, text, clock);
                text.push(b'\n');
                output.write(text)
            } else {
                if json.is_empty() {
                    self.json.write(event, left_out, json, room, clock);
                    json.push(b'\n');
                }
                output.write(json)
            };
            failure = failure.or(failed);
        }
        failure
    }
}

/// The warning that an output has begun to drop lines.
fn dropping(failure: &str) -> Event<'static> {
    Event {
        time: SystemTime::now(),
        level: Level::Warning,
        source: Source { logger: "obs_runtime".into(), ..Source::default() },
        context: EventContext::default(),
        fact: Fact::Log { message: format!("log lines are dropped: {failure}").into() },
        fields: Vec::new(),
        tags: Vec::new(),
    }
}

impl Exporter for LogExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn wants(&self, topic: Topic, level: Level, logger: &str) -> bool {
        match topic {
            Topic::Fact if self.told.is_some() && level >= Level::Error => true,
            Topic::Call | Topic::Log | Topic::Fact => {
                self.outputs.iter().any(|output| output.filter.enables(level, logger))
            }
            // Its line was written when it was captured.
            Topic::Report => false,
        }
    }

    fn least_level(&self) -> Option<Level> {
        self.outputs.iter().filter_map(|output| output.filter.least()).min()
    }

    fn accept(&self, event: &Redacted<Event<'_>>) {
        let kept = SCRATCH.try_with(|scratch| {
            let Ok(mut scratch) = scratch.try_borrow_mut() else { return false };
            self.write_with(event, &mut scratch);
            let Scratch { json, text, .. } = &mut *scratch;
            for buffer in [json, text] {
                if buffer.capacity() > KEPT {
                    *buffer = Vec::new();
                }
            }
            true
        });
        // The thread is ending.
        if kept != Ok(true) {
            self.write_with(event, &mut Scratch::default());
        }
    }

    fn flush(&self, _: Instant) -> Result<(), FlushError> {
        // Every line was written when it was taken, but for those that were left out.
        if let Some(sampler) = &self.sampler {
            sampler.take_left_out(|event, left_out| {
                // The level may be another one than when they were left out.
                if self.wants(Topic::Call, event.level, &event.source.logger) {
                    self.write_line(event, left_out, &mut Scratch::default());
                }
            });
        }
        let failures: Vec<String> = self.outputs.iter().filter_map(|output| output.failure().take()).collect();
        if failures.is_empty() { Ok(()) } else { Err(FlushError { sink: NAME, reason: failures.join("; ") }) }
    }
}

impl fmt::Debug for LogExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("LogExporter").field("filter", &self.filter).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
