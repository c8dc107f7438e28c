//! Prometheus: the text format, the textfile of `node_exporter`, and the sink that writes it.

mod exposition;
mod names;
mod parse;
mod text;
mod textfile;

pub use text::{CONTENT_TYPE, render};
pub use textfile::Textfile;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::event::Event;
use crate::level::Level;
use crate::redact::Redacted;
use crate::sinks::{FlushError, Sink, Topic};
use crate::snapshot::Snapshot;

/// Where the sink reads what was measured.
pub type Source = Arc<dyn Fn() -> Snapshot + Send + Sync>;

/// What Prometheus gets: the text for a scrape, and the textfile at flush. Events it leaves to those who measure.
pub struct PrometheusSink {
    source: Source,
    constant_labels: Vec<(String, String)>,
    textfile: Option<Textfile>,
}

impl PrometheusSink {
    /// A sink that reads from `source` and puts the constant labels on every series. What the source has measured already
    /// is taken to be in the textfile, or to belong elsewhere: only what comes after is added to it.
    #[must_use]
    pub fn new(source: Source, constant_labels: Vec<(String, String)>, textfile: Option<Textfile>) -> Self {
        let sink = Self { source, constant_labels, textfile };
        if let Some(textfile) = &sink.textfile {
            textfile.begin_at(&(sink.source)(), &sink.constant_labels());
        }
        sink
    }

    fn constant_labels(&self) -> Vec<(&str, &str)> {
        self.constant_labels.iter().map(|(name, value)| (&**name, &**value)).collect()
    }
}

impl fmt::Debug for PrometheusSink {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("PrometheusSink")
            .field("constant_labels", &self.constant_labels)
            .field("textfile", &self.textfile.as_ref().map(Textfile::path))
            .finish_non_exhaustive()
    }
}

impl Sink for PrometheusSink {
    fn name(&self) -> &'static str {
        "prometheus"
    }

    fn wants(&self, _: Topic, _: Level, _: &str) -> bool {
        false
    }

    fn least_level(&self) -> Option<Level> {
        None
    }

    fn accept(&self, _: &Redacted<Event<'_>>) {}

    fn flush(&self, deadline: Instant) -> Result<(), FlushError> {
        let Some(textfile) = &self.textfile else { return Ok(()) };
        textfile
            .write(&(self.source)(), &self.constant_labels(), deadline)
            .map_err(|error| FlushError { sink: self.name(), reason: error.to_string() })
    }
}
