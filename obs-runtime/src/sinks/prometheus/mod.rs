//! Prometheus: its text formats, the textfile of `node_exporter`, and the sink that writes it.

mod ages;
mod exposition;
mod format;
mod names;
mod openmetrics;
mod parse;
mod pushgateway;
mod rendered;
mod text;
mod textfile;
mod users;

pub use exposition::Exposition;
pub use format::Format;
pub use names::CONSTANT;
pub use pushgateway::{PushgatewaySink, authorization};
pub use textfile::Textfile;
pub use users::users;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::event::Event;
use crate::level::Level;
use crate::redact::Redacted;
use crate::sinks::{FlushError, Sink, Topic};

/// Where the sink reads what was measured.
pub type Source = Arc<dyn Fn() -> Exposition + Send + Sync>;

/// Writes the textfile at flush. Events it leaves to those who measure.
pub struct TextfileSink {
    source: Source,
    textfile: Textfile,
}

impl TextfileSink {
    /// A sink that reads from `source`. What the source has measured already is taken to be in the textfile, or to belong
    /// elsewhere: only what comes after is added to it.
    #[must_use]
    pub fn new(source: Source, textfile: Textfile) -> Self {
        textfile.begin_at(source());
        Self { source, textfile }
    }
}

impl fmt::Debug for TextfileSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TextfileSink").field("textfile", &self.textfile.path()).finish_non_exhaustive()
    }
}

impl Sink for TextfileSink {
    fn name(&self) -> &'static str {
        "textfile"
    }

    fn wants(&self, _: Topic, _: Level, _: &str) -> bool {
        false
    }

    fn least_level(&self) -> Option<Level> {
        None
    }

    fn accept(&self, _: &Redacted<Event<'_>>) {}

    fn flush(&self, deadline: Instant) -> Result<(), FlushError> {
        self.textfile
            .write((self.source)(), deadline)
            .map_err(|error| FlushError { sink: self.name(), reason: error.to_string() })
    }
}
