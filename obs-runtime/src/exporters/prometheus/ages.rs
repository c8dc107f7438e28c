//! When a run last had each series of a textfile, kept beside it: what no run has had for long leaves.
//!
//! The textfile itself cannot say so, as `node_exporter` takes no timestamps. A series of which nothing is known counts as
//! one that a run has just had, so losing this file does no harm.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::textfile_error::TextfileError;

/// The file, and how long a series stays.
#[derive(Debug)]
pub struct Ages {
    path: PathBuf,
    after: Option<Duration>,
}

impl Ages {
    /// Ages in that file; none is looked at when series stay for ever.
    pub const fn new(path: PathBuf, after: Option<Duration>) -> Self {
        Self { path, after }
    }

    /// Takes from `total` what no run has had for too long, where `now` is what this run has. Whoever calls this holds the
    /// textfile's lock.
    ///
    /// # Errors
    /// When the file cannot be read or written.
    pub fn expire(&self, total: &mut Exposition, now: &Exposition) -> Result<(), TextfileError> {
        let Some(after) = self.after else { return Ok(()) };
        let seconds = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let known = self.read()?;
        let mut text = String::new();
        total.retain(|name, labels| {
            let series = format!("{name}{{{labels}}}");
            // A clock that was wrong does not keep a series for ever.
            let touched =
                known.get(&series).copied().filter(|_| !now.has(name, labels)).unwrap_or(seconds).min(seconds);
            let stays = seconds - touched <= after.as_secs();
            if stays {
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{touched}\t{series}");
            }
            stays
        });
        let temporary = self.path.with_extension("touched.tmp");
        fs::write(&temporary, text)
            .map_err(TextfileError::io("write", &temporary))
            .and_then(|()| fs::rename(&temporary, &self.path).map_err(TextfileError::io("replace", &self.path)))
    }

    /// Seconds since 1970 by series; lines that are none are left out.
    fn read(&self) -> Result<BTreeMap<String, u64>, TextfileError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(TextfileError::io("read", &self.path)(error)),
        };
        let text = String::from_utf8_lossy(&bytes);
        let line = |line: &str| {
            let (seconds, series) = line.split_once('\t')?;
            Some((series.to_owned(), seconds.parse().ok()?))
        };
        Ok(text.lines().filter_map(line).collect())
    }
}
