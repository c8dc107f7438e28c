//! The textfile for `node_exporter`, which exposes the metrics of jobs that end before they are scraped.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exporters::interface::Flushed;
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::pending_growth::PendingGrowth;
use crate::exporters::prometheus::series_expiry::SeriesExpiry;
use crate::exporters::prometheus::shared_file;
use crate::exporters::prometheus::textfile_error::TextfileError;
use crate::exporters::prometheus::{parse, text};

/// The last line, a comment to Prometheus. A file without it is truncated.
const END: &str = "# EOF\n";

/// The most damaged files that are kept; the last one is overwritten.
const MAX_DAMAGED: u32 = 9;

/// The longest pause between two attempts to take the lock.
const MAX_PAUSE: Duration = Duration::from_millis(8);

/// The time before the deadline that is left for keeping values when the lock is not free.
const RESERVE: Duration = Duration::from_millis(200);

/// A file `<service>.prom` in the folder of `node_exporter --collector.textfile.directory`. Its counters accumulate over runs.
///
/// Each [`write_from`](Self::write_from) adds the growth of counters and histograms since the previous write to the file's values, and
/// replaces gauges. Other metrics in the file are kept. The file is replaced atomically and can be read by every user; a lock
/// on `<service>.prom.lock`, which every user can take, serialises processes that write at the same time. A process that does
/// not get the lock in time keeps its growth in a file of its own, which the next writer adds.
#[derive(Debug)]
pub struct Textfile {
    path: PathBuf,
    expiry: SeriesExpiry,
    pending: PendingGrowth,
    written: Mutex<Written>,
}

#[derive(Debug)]
struct Written {
    /// What this process has added to the file already, or must not add.
    measured: Exposition,
    /// When that was measured.
    at: Option<Instant>,
}

impl Textfile {
    /// The textfile of a service in that folder. The first write creates it.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, service: &str) -> Self {
        let path = directory.into().join(format!("{}.prom", safe_file_name(service)));
        let expiry = SeriesExpiry::new(path.with_extension("prom.touched"), None);
        Self {
            pending: PendingGrowth::beside(&path),
            path,
            expiry,
            written: Mutex::new(Written { measured: Exposition::default(), at: None }),
        }
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
        self.written.lock().unwrap_or_else(PoisonError::into_inner).measured = measured;
    }

    /// Writes these values, as [`write_from`](Self::write_from).
    #[cfg(test)]
    pub fn write(&self, now: Exposition, deadline: Instant) -> Result<Flushed, TextfileError> {
        self.write_from(|| now, deadline)
    }

    /// Adds what was measured since the last write to the file. Waits for other processes until the deadline. After an
    /// error, the next write contains what this one did not write. Does nothing if only values about deliveries have changed.
    ///
    /// # Errors
    /// If the folder or a file cannot be used, the lock is held until the deadline, or the old file is damaged. In the last
    /// case the new file is written nevertheless.
    pub fn write_from(
        &self,
        measure: impl FnOnce() -> Exposition,
        deadline: Instant,
    ) -> Result<Flushed, TextfileError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // Within the lock, so that measurements are written in their order.
        let now = measure();
        self.write_locked(&mut written, now, Instant::now(), deadline)
    }

    /// As [`write_from`](Self::write_from), with values measured before. Does nothing if later ones are written already.
    ///
    /// # Errors
    /// As [`write_from`](Self::write_from).
    pub fn write_measured(&self, now: Exposition, at: Instant, deadline: Instant) -> Result<Flushed, TextfileError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        // An older measurement after a newer one would look like a reset.
        if written.at.is_some_and(|written| written >= at) {
            return Ok(Flushed::Nothing);
        }
        self.write_locked(&mut written, now, at, deadline)
    }

    fn write_locked(
        &self,
        written: &mut Written,
        now: Exposition,
        at: Instant,
        deadline: Instant,
    ) -> Result<Flushed, TextfileError> {
        if written.at.is_some() && written.measured.equals_except_deliveries(&now) {
            return Ok(Flushed::Nothing);
        }
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(TextfileError::io("create the folder", directory))?;
        }
        let growth = now.since(&written.measured);
        let left = deadline.saturating_duration_since(Instant::now());
        let lock = match self.lock(deadline.checked_sub(RESERVE.min(left / 4)).unwrap_or(deadline)) {
            Err(TextfileError::Locked { path, .. }) => {
                let pending = self.pending.keep(&growth)?;
                if pending.is_none() {
                    return Err(TextfileError::Locked { path, pending });
                }
                *written = Written { measured: now, at: Some(at) };
                return if self.add_pending()? {
                    Ok(Flushed::Delivered)
                } else {
                    Err(TextfileError::Locked { path, pending })
                };
            }
            lock => lock?,
        };
        let damaged = self.merge(Some(growth), &now)?;
        *written = Written { measured: now, at: Some(at) };
        drop(lock);
        // Of processes that gave up waiting for this one.
        self.add_pending()?;
        damaged.map_or(Ok(Flushed::Delivered), Err)
    }

    /// Adds what processes without the lock have kept. Returns false if another process has the lock: it does the same when it
    /// is done.
    fn add_pending(&self) -> Result<bool, TextfileError> {
        // Again after each release of the lock: another process may have given up waiting for it meanwhile.
        while !self.pending.files()?.is_empty() {
            match self.lock(Instant::now()) {
                Ok(_lock) => self.merge(None, &Exposition::default()).map(drop)?,
                Err(TextfileError::Locked { .. }) => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }

    /// Adds what is pending, then `growth`, to the file. The caller holds the lock. Returns the damage of the old file.
    fn merge(&self, growth: Option<Exposition>, now: &Exposition) -> Result<Option<TextfileError>, TextfileError> {
        let pending = self.pending.files()?;
        let (mut total, mut damage) = match self.read()? {
            Ok(total) => (total, None),
            Err(reason) => (Exposition::default(), Some(reason)),
        };
        for addition in pending.iter().filter_map(|path| PendingGrowth::read(path)).chain(growth) {
            if let Err(reason) = total.add(addition.clone()) {
                total = addition;
                damage = Some(reason);
            }
        }
        let damaged = damage.map(|reason| self.set_aside(reason)).transpose()?;
        self.expiry.expire(&mut total, now)?;
        shared_file::replace(&self.path, &(text::write_without_help(&total) + END))?;
        for path in &pending {
            fs::remove_file(path).map_err(TextfileError::io("remove", path))?;
        }
        Ok(damaged)
    }

    /// The file's content, or the damage.
    fn read(&self) -> Result<Result<Exposition, String>, TextfileError> {
        let Some(bytes) = shared_file::read(&self.path)? else { return Ok(Ok(Exposition::default())) };
        let Ok(content) = String::from_utf8(bytes) else { return Ok(Err("not UTF-8".to_owned())) };
        let Some(whole) = content.strip_suffix(END) else { return Ok(Err("truncated".to_owned())) };
        Ok(parse::parse(whole))
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
        let lock = shared_file::open_lock(&path)?;
        let mut pause = Duration::from_micros(250);
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(lock),
                Err(TryLockError::Error(error)) => return Err(TextfileError::io("lock", &path)(error)),
                Err(TryLockError::WouldBlock) => {}
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(TextfileError::Locked { path, pending: None });
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
