//! The exporter that writes the textfile at every flush.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::exporters::interface::{Exporter, FlushError, Flushed, StartFlush};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::textfile::Textfile;
use crate::exporters::prometheus::textfile_error::TextfileError;

/// The exporter's name.
const NAME: &str = "textfile";

/// Reads the current metrics.
pub type Source = Arc<dyn Fn() -> Exposition + Send + Sync>;

/// Writes the textfile at every flush. Takes no events.
pub struct TextfileExporter {
    source: Source,
    textfile: Textfile,
}

impl TextfileExporter {
    /// An exporter that adds what `source` measures from now on to the textfile.
    #[must_use]
    pub fn new(source: Source, textfile: Textfile) -> Self {
        textfile.start_from(source());
        Self { source, textfile }
    }
}

impl fmt::Debug for TextfileExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("TextfileExporter").field("textfile", &self.textfile.path()).finish_non_exhaustive()
    }
}

impl Exporter for TextfileExporter {
    fn name(&self) -> &'static str {
        NAME
    }

    fn at_start(self: Arc<Self>) -> Option<StartFlush> {
        let (now, at) = ((self.source)(), Instant::now());
        Some(Box::new(move |deadline| self.textfile.write_measured(now, at, deadline).map_err(|error| failed(&error))))
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.textfile.write_from(&*self.source, deadline).map_err(|error| failed(&error))
    }
}

fn failed(error: &TextfileError) -> FlushError {
    FlushError { sink: NAME, reason: error.to_string() }
}
