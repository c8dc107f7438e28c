//! The log file: rotation by another process, and recovery after a full disk.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use crate::base::clock::Stamp;
use crate::base::shared_folder;
use crate::exporters::log::log_output::LineWriter;

/// How often to check whether the file was moved, in nanoseconds.
const CHECK_INTERVAL: u64 = 200_000_000;

/// The most symbolic links at the path that are followed, as in Linux.
const MAX_LINKS: usize = 40;

/// Set by SIGHUP: open the log file again at the next line.
pub static REOPEN: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A file that lines are appended to, also by several processes.
///
/// When the path no longer leads to the open file, it is opened again within 200 ms of lines, and at once after SIGHUP. When
/// that fails, lines go to the old file, and that is a failure of the exporter.
///
/// A path that is a symbolic link of this user is resolved once, when the file is first opened. Nothing is followed later.
pub struct LogFile {
    path: PathBuf,
    /// Of new files.
    mode: u32,
    file: ArcSwap<File>,
    /// The last line was written in part.
    is_torn: AtomicBool,
    reopen: Arc<AtomicBool>,
    /// The path could not be opened again.
    problem: Mutex<Option<String>>,
    opened: Stamp,
    /// When to check again whether the file was moved, in nanoseconds since `opened`.
    next_check: AtomicU64,
}

impl LogFile {
    /// Opens the file, or creates it with this mode, and its folders. Opens it again at the line after `reopen` was set.
    pub fn open(path: &Path, mode: u32, reopen: Arc<AtomicBool>) -> io::Result<Self> {
        let path = resolved(path)?;
        let file = open(&path, mode)?;
        Ok(Self {
            path,
            mode,
            file: ArcSwap::from_pointee(file),
            is_torn: AtomicBool::new(false),
            reopen,
            problem: Mutex::default(),
            opened: Stamp::now(),
            next_check: AtomicU64::new(CHECK_INTERVAL),
        })
    }

    /// Opens the path again if the file was moved or `reopen` is set.
    fn reopen_if_moved(&self) {
        let (now, next_check) = (self.opened.elapsed_nanos(), self.next_check.load(Ordering::Relaxed));
        if now < next_check && !self.reopen.load(Ordering::Relaxed) {
            return;
        }
        // Only one thread checks.
        let is_requested = self.reopen.swap(false, Ordering::Relaxed);
        let is_due = self
            .next_check
            .compare_exchange(next_check, now + CHECK_INTERVAL, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok();
        if is_requested || is_due && !is_at(&self.file.load(), &self.path) {
            match open(&self.path, self.mode) {
                Ok(file) => {
                    self.file.store(file.into());
                    self.is_torn.store(false, Ordering::Relaxed);
                }
                Err(error) => *self.problem() = Some(format!("cannot be opened again: {error}")),
            }
        }
    }

    fn problem(&self) -> MutexGuard<'_, Option<String>> {
        self.problem.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn open(path: &Path, mode: u32) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    shared_folder::open_or_create(path, mode)
}

/// The path that the symbolic links at a path lead to, whether a file is there or not.
fn resolved(path: &Path) -> io::Result<PathBuf> {
    let mut resolved = path.to_owned();
    for _ in 0..MAX_LINKS {
        match fs::symlink_metadata(&resolved) {
            Ok(found) if found.is_symlink() => {
                check_owner(&found)?;
                let target = fs::read_link(&resolved)?;
                resolved = resolved.parent().unwrap_or(Path::new("")).join(target);
            }
            _ => return Ok(resolved),
        }
    }
    Err(io::Error::new(io::ErrorKind::InvalidInput, format!("more than {MAX_LINKS} symbolic links")))
}

/// Refuses a link of another user, who could have put it into a folder of several users, such as /tmp.
#[cfg(unix)]
fn check_owner(link: &fs::Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt as _;

    match link.uid() {
        0 => Ok(()),
        owner if owner == rustix::process::geteuid().as_raw() => Ok(()),
        owner => {
            let message = format!("expected a link of this user or the superuser, found one of the user {owner}");
            Err(io::Error::new(io::ErrorKind::PermissionDenied, message))
        }
    }
}

#[cfg(not(unix))]
fn check_owner(_: &fs::Metadata) -> io::Result<()> {
    Ok(())
}

/// Whether the path leads to the open file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |open: fs::Metadata, found: fs::Metadata| (open.dev(), open.ino()) == (found.dev(), found.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => same(open, found),
        (Ok(_), Err(_)) => false,
        // Unknown: the open file stays in use.
        (Err(_), _) => true,
    }
}

/// On other platforms an open file cannot be moved.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

impl LineWriter for LogFile {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self.reopen_if_moved();
        let file = self.file.load();
        if self.is_torn.swap(false, Ordering::Relaxed) {
            // One write, so that no line of another process comes between.
            let written = self.write(&file, &[b"\n", line].concat());
            return written.inspect_err(|_| self.is_torn.store(true, Ordering::Relaxed));
        }
        self.write(&file, line)
    }

    fn take_problem(&self) -> Option<String> {
        self.problem().take()
    }
}

impl LogFile {
    fn write(&self, mut file: &File, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if rest.len() < line.len() {
                        self.is_torn.store(true, Ordering::Relaxed);
                    }
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moved_file_is_opened_again_at_once_on_request_and_otherwise_at_the_next_check() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("run.jsonl"), folder.path().join("run.jsonl.1"));
        let reopen = Arc::<AtomicBool>::default();
        let file = LogFile::open(&path, 0o600, Arc::clone(&reopen)).unwrap();
        let check_at = |at| file.next_check.store(at, Ordering::Relaxed);
        let write = |line: &str| file.write_line(line.as_bytes()).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        check_at(u64::MAX);
        write("1\n");
        fs::rename(&path, &moved).unwrap();
        write("2\n");
        assert_eq!((read(&moved), read(&path)), ("1\n2\n".to_owned(), String::new()));
        reopen.store(true, Ordering::Relaxed);
        write("3\n");
        assert_eq!((read(&moved), read(&path)), ("1\n2\n".to_owned(), "3\n".to_owned()));
        assert!(!reopen.load(Ordering::Relaxed));
        fs::remove_file(&path).unwrap();
        check_at(0);
        write("4\n");
        assert_eq!(read(&path), "4\n");
    }
}
