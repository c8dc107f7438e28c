//! Standard output and standard error, written to without the locks of the standard library: a thread that holds one of
//! these must not stop a line or a result.
//!
//! The program's own output stands between two lines, never inside one. The reverse does not hold: `eprintln!` with
//! arguments makes several writes, and a line of another thread can stand between two of them. To prevent that, a second
//! thread would have to acquire the lock for each line, at ten times the cost of a line.

#[cfg(all(unix, feature = "cli"))]
use std::fs::File;
use std::io;
#[cfg(any(not(unix), feature = "cli"))]
use std::io::Write as _;
#[cfg(unix)]
use std::os::fd::{AsFd as _, BorrowedFd};
#[cfg(unix)]
use std::sync::{Mutex, PoisonError};

#[cfg(unix)]
use crate::base::bounded_writer::BoundedWriter;

#[cfg(unix)]
static STDOUT: Mutex<BoundedWriter> = Mutex::new(BoundedWriter::new());
#[cfg(unix)]
static STDERR: Mutex<BoundedWriter> = Mutex::new(BoundedWriter::new());

/// One of the two streams. Except on Unix, writes go through the standard library and its locks.
#[derive(Clone, Copy, Debug)]
pub enum StandardStream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

#[cfg(unix)]
impl StandardStream {
    /// Writes a line, its end of line included, within the bounds of [`BoundedWriter::write_line`].
    pub fn write_line(self, line: &[u8]) -> io::Result<()> {
        let writer = match self {
            Self::Stdout => &STDOUT,
            Self::Stderr => &STDERR,
        };
        let mut writer = writer.lock().unwrap_or_else(PoisonError::into_inner);
        self.with_descriptor(|stream| writer.write_line(stream, line))
    }

    /// Writes everything, and waits for the reader as long as that takes.
    #[cfg(feature = "cli")]
    pub fn write_all(self, bytes: &[u8]) -> io::Result<()> {
        self.duplicate()?.write_all(bytes)
    }

    /// Another handle of the stream.
    #[cfg(feature = "cli")]
    pub fn duplicate(self) -> io::Result<File> {
        self.with_descriptor(|stream| stream.try_clone_to_owned()).map(File::from)
    }

    fn with_descriptor<R>(self, with: impl FnOnce(BorrowedFd<'_>) -> R) -> R {
        match self {
            Self::Stdout => with(io::stdout().as_fd()),
            Self::Stderr => with(io::stderr().as_fd()),
        }
    }
}

#[cfg(not(unix))]
impl StandardStream {
    /// Writes a line, its end of line included.
    pub fn write_line(self, line: &[u8]) -> io::Result<()> {
        self.write_all(line)
    }

    /// Writes everything, and waits for the reader as long as that takes.
    pub fn write_all(self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Stdout => io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()),
            Self::Stderr => io::stderr().write_all(bytes),
        }
    }
}
