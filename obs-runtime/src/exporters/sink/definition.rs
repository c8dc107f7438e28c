//! The trait that an exporter of a program's own implements.

use std::error::Error;
use std::io;
use std::time::Instant;

use crate::base::level::Level;
use crate::exporters::sink::event::RedactedEvent;

/// Why a [`Sink`] could not take an event or flush. obs logs its text redacted.
pub type SinkError = Box<dyn Error + Send + Sync>;

/// An exporter of a program's own, for a backend that obs does not support.
///
/// Pass it to [`ObservabilityBuilder::sink`](crate::ObservabilityBuilder::sink). It receives each log line and call from
/// [`min_level`](Self::min_level) on, and, whatever their levels, each command, error, panic, message, check, query and
/// price. Secrets and personal data are redacted before, as for every exporter.
///
/// # Contract
///
/// - **A sink never blocks the program.** obs owns the sink and calls it on a thread of its own, behind a queue of 1,024
///   events, one call at a time. `accept` may write to a disk or a network. While it is slow, the queue fills up; when the
///   queue is full, further events are dropped and counted as `obs.dropped{sink="…",reason="queue_full"}`.
/// - **A sink never calls back.** Events that the sink's thread emits while it runs (log lines, calls of annotated
///   functions, captured errors) are dropped and counted as `obs.dropped{sink="pipeline",reason="reentrant"}`.
/// - **A sink never returns an error to the program.** An error of `accept` drops the event, counted with the reason
///   `error`, and fails the next flush. A panic is caught and counted with the reason `panic`; the sink stays in use.
/// - **A flush has a deadline.** obs flushes when the outermost command ends, on [`Guard::flush`](crate::Guard::flush) and
///   at the end of the program. It waits until the queue is empty and [`flush`](Self::flush) has returned, for at most
///   `OBS_FLUSH_TIMEOUT` in total. A flush that fails or is late is counted with the reason `flush` and logged as a
///   warning; a late sink is then skipped for ten timeouts.
///
/// [`status`](crate::status) and the metrics `obs.dropped`, `obs.queue.length` and `obs.last_success.timestamp.seconds`
/// report on a sink by its name. The sink is dropped some time after the last flush, or not at all when the process ends
/// first: keep nothing in buffers after a flush.
///
/// # Examples
///
/// A sink that appends tab-separated lines to a file:
///
/// ```
/// use std::fs::{File, OpenOptions};
/// use std::io::{BufWriter, Write as _};
/// use std::time::Instant;
///
/// use obs_runtime::sink::{RedactedEvent, Sink, SinkError};
/// use obs_runtime::{Level, Observability, track_cli_command};
///
/// struct FileSink(BufWriter<File>);
///
/// impl Sink for FileSink {
///     fn name(&self) -> &'static str {
///         "file"
///     }
///
///     fn min_level(&self) -> Level {
///         Level::Warning
///     }
///
///     fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError> {
///         write!(self.0, "{}\t{}\t{}", event.level(), event.kind().as_str(), event.message())?;
///         for (name, value) in event.fields() {
///             write!(self.0, "\t{name}={value}")?;
///         }
///         writeln!(self.0)?;
///         Ok(())
///     }
///
///     fn flush(&mut self, _deadline: Instant) -> Result<(), SinkError> {
///         Ok(self.0.flush()?)
///     }
/// }
///
/// # let folder = std::env::temp_dir().join(format!("obs-sink-{}", std::process::id()));
/// # std::fs::create_dir_all(&folder)?;
/// # let path = folder.join("events.tsv");
/// let file = OpenOptions::new().create(true).append(true).open(&path)?;
/// let guard = Observability::builder().sink(FileSink(BufWriter::new(file))).prometheus_port(0).init()?;
/// track_cli_command("nightly", || Ok::<_, std::io::Error>(()))?;
/// drop(guard);
///
/// let written = std::fs::read_to_string(&path)?;
/// assert!(written.contains("INFO\tcall_finished\tnightly finished: ok in "), "{written}");
/// # std::fs::remove_dir_all(&folder)?;
/// # Ok::<_, Box<dyn std::error::Error>>(())
/// ```
pub trait Sink: Send + 'static {
    /// The sink's name in metrics and warnings: lower-case ASCII letters, digits, `_` and `-`, and no name of another sink
    /// or of an exporter of obs. Called once, by `init`.
    fn name(&self) -> &'static str;

    /// The lowest level of the log lines, and of the calls other than commands, that the sink receives. Calls that succeed
    /// have the level `DEBUG` by default. Independent of `LOG_LEVEL`. Called once, by `init`.
    ///
    /// Each annotated call from this level on makes an event, which is redacted and copied. Without such a sink a call
    /// only increments counters.
    fn min_level(&self) -> Level {
        Level::Info
    }

    /// Takes an event.
    ///
    /// # Errors
    /// Why the event is lost. See the contract above.
    fn accept(&mut self, event: &RedactedEvent) -> Result<(), SinkError>;

    /// Delivers what is buffered, until the deadline. obs calls it after `accept` has returned for all earlier events.
    ///
    /// # Errors
    /// Why something is not delivered. See the contract above.
    fn flush(&mut self, deadline: Instant) -> Result<(), SinkError> {
        let _ = deadline;
        Ok(())
    }
}

/// Why `init` cannot use a [`Sink`].
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SinkInitError {
    /// The name is taken, or has other characters than lower-case ASCII letters, digits, `_` and `-`.
    #[error("a sink cannot have the name `{0}`: it is taken, or has characters other than a-z, 0-9, `_` and `-`")]
    Name(&'static str),
    /// The sink's thread cannot be started.
    #[error("the thread of a sink cannot be started: {0}")]
    Thread(#[from] io::Error),
}
