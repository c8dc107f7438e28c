//! The exporter that writes the textfile at every flush.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::exporters::interface::{Exporter, FlushError, Flushed};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::textfile::Textfile;

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
        "textfile"
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.textfile
            .write((self.source)(), deadline)
            .map(|()| Flushed::Delivered)
            .map_err(|error| FlushError { sink: self.name(), reason: error.to_string() })
    }
}
