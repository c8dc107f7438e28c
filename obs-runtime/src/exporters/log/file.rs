//! A file of lines: appended to, found again when it was moved, and whole again after the disk was full.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use arc_swap::ArcSwap;

use crate::base::clock::Stamp;
use crate::exporters::log::writer::LineWriter;
use crate::metrics::drop_counters;

/// How often it is looked whether the file was moved, in nanoseconds.
const EVERY: u64 = 200_000_000;

/// Whether the log file is to be opened again at the next line, as SIGHUP asks for.
pub static REOPEN: LazyLock<Arc<AtomicBool>> = LazyLock::new(Arc::default);

/// A file that lines are appended to. Other processes may do so at the same time: the system puts each write at the end.
///
/// When the path leads to another file, or to none, because somebody moved the one there was, a new one is opened within
/// 200 ms of lines, and at once after a SIGHUP. Where that fails the old one goes on being written to.
pub struct AppendedFile {
    path: PathBuf,
    file: ArcSwap<File>,
    /// Whether the last line stands there in part, because the disk was full.
    torn: AtomicBool,
    /// Whether somebody asks to have it opened again.
    reopen: Arc<AtomicBool>,
    opened: Stamp,
    /// When it is to be looked again whether the file is still there, in nanoseconds since it was opened.
    look_at: AtomicU64,
}

impl AppendedFile {
    /// Opens a file, and makes it and the folders it is in if need be; and again at the line after `reopen` was set.
    pub fn open(path: &Path, reopen: Arc<AtomicBool>) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: ArcSwap::from_pointee(open(path)?),
            torn: AtomicBool::new(false),
            reopen,
            opened: Stamp::now(),
            look_at: AtomicU64::new(EVERY),
        })
    }

    /// Opens the path again if it is time to look and the file is not there any more.
    fn find_again(&self) {
        let (now, look_at) = (self.opened.elapsed_nanos(), self.look_at.load(Ordering::Relaxed));
        if now < look_at && !self.reopen.load(Ordering::Relaxed) {
            return;
        }
        // One thread that looks is enough; the others write on.
        let asked = self.reopen.swap(false, Ordering::Relaxed);
        let due = self.look_at.compare_exchange(look_at, now + EVERY, Ordering::Relaxed, Ordering::Relaxed).is_ok();
        if asked || due && !is_there(&self.file.load(), &self.path) {
            match open(&self.path) {
                Ok(file) => {
                    self.file.store(file.into());
                    self.torn.store(false, Ordering::Relaxed);
                }
                Err(_) => drop_counters::count("log", "reopen", 1),
            }
        }
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

/// Whether the path still leads to the file.
#[cfg(unix)]
fn is_there(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let same = |open: fs::Metadata, found: fs::Metadata| (open.dev(), open.ino()) == (found.dev(), found.ino());
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(found)) => same(open, found),
        (Ok(_), Err(_)) => false,
        // Nothing is known of it: it is written to as long as that goes well.
        (Err(_), _) => true,
    }
}

/// Elsewhere a file that is open cannot be moved.
#[cfg(not(unix))]
fn is_there(_: &File, path: &Path) -> bool {
    path.exists()
}

impl LineWriter for AppendedFile {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self.find_again();
        let file = self.file.load();
        if self.torn.swap(false, Ordering::Relaxed) {
            // What is left of the torn line must not spoil this one, nor may another process' line come between.
            let written = self.write(&file, &[b"\n", line].concat());
            return written.inspect_err(|_| self.torn.store(true, Ordering::Relaxed));
        }
        self.write(&file, line)
    }
}

impl AppendedFile {
    fn write(&self, mut file: &File, line: &[u8]) -> io::Result<()> {
        let mut rest = line;
        while !rest.is_empty() {
            match file.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    if rest.len() < line.len() {
                        self.torn.store(true, Ordering::Relaxed);
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
    fn a_file_that_was_moved_is_opened_again_at_once_when_asked_and_else_when_it_is_time_to_look() {
        let folder = tempfile::tempdir().unwrap();
        let (path, moved) = (folder.path().join("run.jsonl"), folder.path().join("run.jsonl.1"));
        let asked = Arc::<AtomicBool>::default();
        let file = AppendedFile::open(&path, Arc::clone(&asked)).unwrap();
        let look_at = |at| file.look_at.store(at, Ordering::Relaxed);
        let write = |line: &str| file.write_line(line.as_bytes()).unwrap();
        let read = |path: &Path| fs::read_to_string(path).unwrap_or_default();
        look_at(u64::MAX);
        write("1\n");
        fs::rename(&path, &moved).unwrap();
        write("2\n");
        assert_eq!((read(&moved), read(&path)), ("1\n2\n".to_owned(), String::new()));
        asked.store(true, Ordering::Relaxed);
        write("3\n");
        assert_eq!((read(&moved), read(&path)), ("1\n2\n".to_owned(), "3\n".to_owned()));
        assert!(!asked.load(Ordering::Relaxed));
        fs::remove_file(&path).unwrap();
        look_at(0);
        write("4\n");
        assert_eq!(read(&path), "4\n");
    }
}
