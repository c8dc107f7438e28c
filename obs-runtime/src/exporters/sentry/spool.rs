//! Envelopes that a server could not take, kept in the state folder for the next run.
//!
//! Each envelope is one file, which is redacted like everything that is sent. A process locks a file while it sends it, so that one of
//! several sends it; the lock of a process that is killed is released. An envelope that was sent and not removed is sent again; Sentry
//! ignores an event whose id it knows.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest as _, Sha256};

use crate::base::shared_folder;
use crate::events::event_id::EventId;
use crate::metrics::drop_counters;

/// The most envelopes that are kept.
const MAX_FILES: usize = 200;

/// The most bytes of all of them.
const MAX_BYTES: u64 = 10 * 1024 * 1024;

/// How long an envelope is kept.
const MAX_AGE: Duration = Duration::from_hours(7 * 24);

/// How long a file that is being written can be left alone.
const MAX_WRITING: Duration = Duration::from_hours(1);

const EXTENSION: &str = "envelope";

/// The envelopes for one project.
#[derive(Clone, Debug)]
pub struct Spool {
    folder: PathBuf,
}

/// An envelope that this process sends: others leave it alone.
#[derive(Debug)]
pub struct Spooled {
    path: PathBuf,
    file: File,
}

impl Spool {
    /// The envelopes for the project of a DSN, in a folder of its own within the state folder.
    pub fn new(state_folder: &Path, dsn: &str) -> Self {
        let hash = Sha256::digest(dsn.as_bytes());
        let project = hash.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Self { folder: state_folder.join("sentry").join(format!("{project:016x}")) }
    }

    /// Keeps an envelope, readable by this user alone.
    ///
    /// # Errors
    /// If there is no more room, or the file cannot be written.
    pub fn store(&self, envelope: &[u8]) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.folder)?;
        let kept = self.files(EXTENSION);
        let bytes: u64 = kept.iter().filter_map(|path| path.symlink_metadata().ok()).map(|found| found.len()).sum();
        if kept.len() >= MAX_FILES || bytes.saturating_add(envelope.len() as u64) > MAX_BYTES {
            return Err(io::Error::other("the folder of envelopes is full"));
        }
        let name = format!("{:013}-{}", millis(SystemTime::now()), EventId::fresh().uuid().simple());
        let (written, path) =
            (self.folder.join(&name).with_extension("new"), self.folder.join(&name).with_extension(EXTENSION));
        let write = || {
            shared_folder::create(&written, 0o600)?.write_all(envelope)?;
            fs::rename(&written, &path)
        };
        write().inspect_err(|_| {
            let _ = fs::remove_file(&written);
        })?;
        Ok(path)
    }

    /// The envelopes that are to be sent, oldest first. Removes those that are too old, and counts them.
    pub fn waiting(&self) -> Vec<PathBuf> {
        let before = |age| SystemTime::now().checked_sub(age).map_or(0, millis);
        let begun = |path: &Path| -> Option<u64> { path.file_stem()?.to_str()?.split('-').next()?.parse().ok() };
        for path in self.files("new").iter().filter(|path| begun(path) < Some(before(MAX_WRITING))) {
            let _ = fs::remove_file(path);
        }
        let (old, mut waiting): (Vec<_>, Vec<_>) =
            self.files(EXTENSION).into_iter().partition(|path| begun(path) < Some(before(MAX_AGE)));
        for _ in old.iter().filter(|path| fs::remove_file(path).is_ok()) {
            drop_counters::count("sentry", "expired", 1);
        }
        waiting.sort_unstable();
        waiting
    }

    fn files(&self, extension: &str) -> Vec<PathBuf> {
        let entries = fs::read_dir(&self.folder).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.extension().is_some_and(|found| found == extension)).collect()
    }
}

impl Spooled {
    /// Locks an envelope; `None` if another process sends it or has sent it.
    pub fn lock(path: PathBuf) -> Option<Self> {
        let file = shared_folder::open_to_read(&path).ok()?;
        match file.try_lock() {
            // Systems without locks have one process.
            Ok(()) | Err(TryLockError::Error(_)) => path.exists().then_some(Self { path, file }),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    /// What is to be sent.
    ///
    /// # Errors
    /// If the file cannot be read.
    pub fn read(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        (&self.file).take(MAX_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Removes it: it was sent, or can never be.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_kept_for_their_project_in_order_and_sent_by_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let (spool, other) =
            (Spool::new(folder.path(), "https://a@host/1"), Spool::new(folder.path(), "https://a@host/2"));
        let first = spool.store(b"first").unwrap();
        std::thread::sleep(Duration::from_millis(2));
        spool.store(b"second").unwrap();
        assert_eq!((spool.waiting().len(), &spool.waiting()[0], other.waiting().len()), (2, &first, 0));
        let mut sending = Spooled::lock(first.clone()).unwrap();
        assert_eq!(sending.read().unwrap(), b"first");
        #[cfg(target_os = "linux")]
        assert!(Spooled::lock(first.clone()).is_none());
        sending.remove();
        assert!(Spooled::lock(first).is_none());
        assert_eq!(spool.waiting().len(), 1);
    }

    #[test]
    fn envelopes_are_bounded_in_number_size_and_age() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path(), "dsn");
        (0..MAX_FILES).for_each(|_| drop(spool.store(b"x").unwrap()));
        assert!(spool.store(b"x").is_err());
        assert_eq!(spool.waiting().len(), MAX_FILES);
        let large = Spool::new(folder.path(), "another dsn");
        large.store(&vec![0; 6 * 1024 * 1024]).unwrap();
        assert!(large.store(&vec![0; 6 * 1024 * 1024]).is_err());
        for extension in [EXTENSION, "new"] {
            fs::write(large.folder.join(format!("0000000000001-a.{extension}")), "old").unwrap();
        }
        assert_eq!(large.waiting().len(), 1);
        assert_eq!(fs::read_dir(&large.folder).unwrap().count(), 1);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;

            let mode = large.waiting()[0].metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o077, 0);
        }
    }
}
