//! Removes series from a textfile that no run has updated for a long time.
//!
//! The time of each series' last update is kept in a second file, because `node_exporter` rejects timestamps in a textfile.
//! A series without a known time counts as just updated, so that losing the file does no harm.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::shared_file;
use crate::exporters::prometheus::textfile_error::TextfileError;

/// The file of last updates, and how long a series is kept.
#[derive(Debug)]
pub struct SeriesExpiry {
    path: PathBuf,
    after: Option<Duration>,
}

impl SeriesExpiry {
    /// An expiry that uses this file; with `None` series are kept forever, and the file is not used.
    pub const fn new(path: PathBuf, after: Option<Duration>) -> Self {
        Self { path, after }
    }

    /// Removes expired series from `total`; this run has updated those in `now`. The caller holds the textfile's lock.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub fn expire(&self, total: &mut Exposition, now: &Exposition) -> Result<(), TextfileError> {
        let Some(after) = self.after else { return Ok(()) };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let known = self.read()?;
        let mut text = String::new();
        total.retain(|name, labels| {
            let series = format!("{name}{{{labels}}}");
            // A time in the future, from a wrong clock, must not keep a series forever.
            let touched =
                known.get(&series).copied().filter(|_| !now.has(name, labels)).unwrap_or(seconds).min(seconds);
            let stays = seconds - touched <= after.as_secs();
            if stays {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{touched}\t{series}");
            }
            stays
        });
        shared_file::replace(&self.path, &text)
    }

    /// The UNIX time of the last update by series. Malformed lines are ignored.
    fn read(&self) -> Result<BTreeMap<String, u64>, TextfileError> {
        let bytes = shared_file::read(&self.path)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let line = |line: &str| {
            let (seconds, series) = line.split_once('\t')?;
            Some((series.to_owned(), seconds.parse().ok()?))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}
