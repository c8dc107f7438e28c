//! The textfile for `node_exporter`, which exposes the metrics of jobs that end before they are scraped.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::series_expiry::SeriesExpiry;
use crate::exporters::prometheus::textfile_error::TextfileError;
use crate::exporters::prometheus::{parse, text};

/// The last line, a comment to Prometheus. A file without it is truncated.
const END: &str = "# EOF\n";

/// The most damaged files that are kept; the last one is overwritten.
const MAX_DAMAGED: u32 = 9;

/// The longest pause between two attempts to take the lock.
const MAX_PAUSE: Duration = Duration::from_millis(8);

/// A file `<service>.prom` in the folder of `node_exporter --collector.textfile.directory`. Its counters accumulate over runs.
///
/// Each [`write`](Self::write) adds the growth of counters and histograms since the previous write to the file's values, and
/// replaces gauges. Other metrics in the file are kept. The file is replaced atomically; a lock on `<service>.prom.lock`
/// serialises processes that write at the same time.
#[derive(Debug)]
pub struct Textfile {
    path: PathBuf,
    expiry: SeriesExpiry,
    /// What this process has added to the file already, or must not add.
    written: Mutex<Exposition>,
}

impl Textfile {
    /// The textfile of a service in that folder. The first write creates it.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, service: &str) -> Self {
        let path = directory.into().join(format!("{}.prom", safe_file_name(service)));
        let expiry = SeriesExpiry::new(path.with_extension("prom.touched"), None);
        Self { path, expiry, written: Mutex::default() }
    }

    /// Removes series that no run has updated for this long.
    #[must_use]
    pub fn with_expiry(self, after: Option<Duration>) -> Self {
        Self { expiry: SeriesExpiry::new(self.path.with_extension("prom.touched"), after), ..self }
    }

    /// The file's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Marks values as written, so that only their later growth is added to the file.
    pub fn start_from(&self, measured: Exposition) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = measured;
    }

    /// Adds what was measured since the last write to the file. Waits for other processes until the deadline. After an
    /// error, the next write contains what this one did not write.
    ///
    /// # Errors
    /// If the folder or a file cannot be used, the lock is held until the deadline, or the old file is damaged. In the last
    /// case the new file is written nevertheless.
    pub fn write(&self, now: Exposition, deadline: Instant) -> Result<(), TextfileError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(TextfileError::io("create the folder", directory))?;
        }
        let _lock = self.lock(deadline)?;
        let growth = now.since(&written);
        let (mut total, damage) = match self.read()? {
            Ok(mut total) => match total.add(growth.clone()) {
                Ok(()) => (total, None),
                Err(reason) => (growth, Some(reason)),
            },
            Err(reason) => (growth, Some(reason)),
        };
        let damaged = damage.map(|reason| self.set_aside(reason)).transpose()?;
        self.expiry.expire(&mut total, &now)?;
        self.replace(&total)?;
        *written = now;
        damaged.map_or(Ok(()), Err)
    }

    /// The file's content, or the damage.
    fn read(&self) -> Result<Result<Exposition, String>, TextfileError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Exposition::default())),
            Err(error) => return Err(TextfileError::io("read", &self.path)(error)),
        };
        let Ok(content) = String::from_utf8(bytes) else { return Ok(Err("not UTF-8".to_owned())) };
        let Some(whole) = content.strip_suffix(END) else { return Ok(Err("truncated".to_owned())) };
        Ok(parse::parse(whole))
    }

    fn replace(&self, total: &Exposition) -> Result<(), TextfileError> {
        let temporary = self.beside("tmp");
        let written = fs::write(&temporary, text::write(total) + END)
            .map_err(TextfileError::io("write", &temporary))
            .and_then(|()| fs::rename(&temporary, &self.path).map_err(TextfileError::io("replace", &self.path)));
        if written.is_err() {
            // Best effort: the first error is returned.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn set_aside(&self, reason: String) -> Result<TextfileError, TextfileError> {
        let kept = (2..=MAX_DAMAGED)
            .map(|number| format!("{number}.damaged"))
            .fold(self.beside("damaged"), |kept, next| if kept.exists() { self.beside(&next) } else { kept });
        fs::rename(&self.path, &kept).map_err(TextfileError::io("rename", &self.path))?;
        Ok(TextfileError::Damaged { path: self.path.clone(), kept, reason })
    }

    /// Takes the lock, which is released when the returned file is closed. The lock file is never removed: another process
    /// could then lock a new file while this one still holds the old one.
    fn lock(&self, deadline: Instant) -> Result<File, TextfileError> {
        let path = self.beside("lock");
        let lock = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)
            .map_err(TextfileError::io("open the lock", &path))?;
        let mut pause = Duration::from_micros(250);
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::Error(error)) => return Err(TextfileError::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TextfileError::Locked { path });
            }
            // Polls, because a blocking lock has no timeout.
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(MAX_PAUSE);
        }
    }

    /// A file next to the textfile that `node_exporter` ignores: its name does not end with `.prom`.
    fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(format!("prom.{extension}"))
    }
}

/// A service's name as a safe file name.
fn safe_file_name(service: &str) -> String {
    let safe = |character: char| character.is_ascii_alphanumeric() || "-_.".contains(character);
    let name: String =
        service.chars().take(100).map(|character| if safe(character) { character } else { '_' }).collect();
    match name.trim_start_matches('.') {
        "" => "obs".to_owned(),
        visible => visible.to_owned(),
    }
}

#[cfg(test)]
mod tests;
