//! Growth that processes could not add to the textfile in time, each in a file of its own, for the next writer.

use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::textfile_error::TextfileError;
use crate::exporters::prometheus::{parse, shared_file, text};

/// The ends of the names of these files. `node_exporter` ignores them.
const SUFFIX: &str = ".pending";

/// The most files that are kept, for a lock that is never released.
const MAX_FILES: usize = 1000;

/// The files `<textfile>.<number>.pending`.
#[derive(Debug)]
pub struct PendingGrowth {
    textfile: PathBuf,
}

impl PendingGrowth {
    /// The files beside a textfile.
    pub fn beside(textfile: &Path) -> Self {
        Self { textfile: textfile.to_owned() }
    }

    /// Keeps growth in a new file, and returns its path; `None` if there are too many already.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn keep(&self, growth: &Exposition) -> Result<Option<PathBuf>, TextfileError> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if self.files()?.len() >= MAX_FILES {
            return Ok(None);
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let nanos = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        let path = self.textfile.with_extension(format!("prom.{nanos:020}-{}-{number}{SUFFIX}", process::id()));
        shared_file::replace(&path, &text::write_without_help(growth))?;
        Ok(Some(path))
    }

    /// The files, oldest first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn files(&self) -> Result<Vec<PathBuf>, TextfileError> {
        shared_file::beside(&self.textfile, SUFFIX)
    }

    /// The growth in a file; `None` if it is not readable.
    pub fn read(path: &Path) -> Option<Exposition> {
        parse::parse(&String::from_utf8(shared_file::read(path).ok()??).ok()?).ok()
    }
}
