//! The textfile of `node_exporter`: how a job that is gone before anyone can scrape it leaves its metrics behind.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::exporters::prometheus::ages::Ages;
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::textfile_error::TextfileError;
use crate::exporters::prometheus::{parse, text};

/// The last line. A file that does not end with it was cut off. To Prometheus it is a comment.
const END: &str = "# EOF\n";

/// Damaged files that are kept beside the file; past that the last one gives way.
const KEPT: u32 = 9;

/// The longest pause between two attempts to get the lock.
const LONGEST_PAUSE: Duration = Duration::from_millis(8);

/// A file `<service>.prom` in the folder that `node_exporter --collector.textfile.directory` reads, added up over runs.
///
/// Each [`write`](Self::write) adds what counters and histograms have grown by since the one before to what the file has
/// from earlier runs, and replaces gauges. Metrics in the file that this process does not know stay. Readers see the old
/// file or the new one, never half of one; processes that write at the same time wait for each other by a lock on
/// `<service>.prom.lock`.
#[derive(Debug)]
pub struct Textfile {
    path: PathBuf,
    ages: Ages,
    /// What this process has brought into the file, or must not bring.
    written: Mutex<Exposition>,
}

impl Textfile {
    /// The file of a service in that folder. Nothing is touched before the first write.
    #[must_use]
    pub fn new(directory: impl Into<PathBuf>, service: &str) -> Self {
        let path = directory.into().join(format!("{}.prom", safe_file_name(service)));
        let ages = Ages::new(path.with_extension("prom.touched"), None);
        Self { path, ages, written: Mutex::default() }
    }

    /// The same, from which series leave that no run has had for so long.
    #[must_use]
    pub fn expiring(self, after: Option<Duration>) -> Self {
        Self { ages: Ages::new(self.path.with_extension("prom.touched"), after), ..self }
    }

    /// Where the file is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Says what this process measured before, for somebody else: it is not brought into this file.
    pub fn begin_at(&self, measured: Exposition) {
        *self.written.lock().unwrap_or_else(PoisonError::into_inner) = measured;
    }

    /// Brings what was measured since the last write into the file. Waits until the deadline at most for other processes
    /// that write it. What could not be written is in the next write.
    ///
    /// # Errors
    /// When the folder cannot be used or the lock was not to be had in time; and when the old file was damaged, in which
    /// case the new one is written all the same.
    pub fn write(&self, now: Exposition, deadline: Instant) -> Result<(), TextfileError> {
        let mut written = self.written.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(directory) = self.path.parent() {
            fs::create_dir_all(directory).map_err(TextfileError::io("make the folder", directory))?;
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
        self.ages.expire(&mut total, &now)?;
        self.replace(&total)?;
        *written = now;
        damaged.map_or(Ok(()), Err)
    }

    /// The file's content, or what is wrong with it.
    fn read(&self) -> Result<Result<Exposition, String>, TextfileError> {
        let bytes = match fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Ok(Exposition::default())),
            Err(error) => return Err(TextfileError::io("read", &self.path)(error)),
        };
        let Ok(content) = String::from_utf8(bytes) else { return Ok(Err("it is not UTF-8".to_owned())) };
        let Some(whole) = content.strip_suffix(END) else { return Ok(Err("its end is missing".to_owned())) };
        Ok(parse::parse(whole))
    }

    fn replace(&self, total: &Exposition) -> Result<(), TextfileError> {
        let temporary = self.beside("tmp");
        let written = fs::write(&temporary, text::write(total) + END)
            .map_err(TextfileError::io("write", &temporary))
            .and_then(|()| fs::rename(&temporary, &self.path).map_err(TextfileError::io("replace", &self.path)));
        if written.is_err() {
            // Half a file is of no use to anybody; that it cannot be removed changes nothing of the error.
            let _ = fs::remove_file(&temporary);
        }
        written
    }

    fn set_aside(&self, reason: String) -> Result<TextfileError, TextfileError> {
        let kept = (2..=KEPT)
            .map(|number| format!("{number}.damaged"))
            .fold(self.beside("damaged"), |kept, next| if kept.exists() { self.beside(&next) } else { kept });
        fs::rename(&self.path, &kept).map_err(TextfileError::io("set aside", &self.path))?;
        Ok(TextfileError::Damaged { path: self.path.clone(), kept, reason })
    }

    /// The lock that is held until the file returned is closed. The file itself stays: to remove it would let in a second
    /// writer beside one that has it open.
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
            // A blocking lock has no deadline, so this is the one place that asks again and again.
            std::thread::sleep(pause.min(left));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// A file that `node_exporter` does not read: its name does not end in `.prom`.
    fn beside(&self, extension: &str) -> PathBuf {
        self.path.with_extension(format!("prom.{extension}"))
    }
}

/// A service's name as a file's name.
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
