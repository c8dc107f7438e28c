//! `LOG_FILE` as the name of a device or of an open descriptor, such as `/dev/stdout`, `/dev/null` or `/dev/fd/3`.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::fs::OFlags;

use crate::base::bounded_writer::BoundedWriter;
use crate::base::standard_streams::StandardStream;
use crate::exporters::log::log_output::LineWriter;

/// A device, or a pipe that is open already. A line waits for room in it as in a standard stream.
struct LogDevice {
    file: File,
    writer: Mutex<BoundedWriter>,
}

/// The writer for a path in `/dev` or in `/proc/self/fd`, unless that is a regular file. The names in these folders are the
/// system's, so that links are followed.
///
/// # Errors
/// If it cannot be opened for writing.
pub fn open(path: &Path) -> io::Result<Option<Box<dyn LineWriter>>> {
    if !["/dev", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder)) {
        return Ok(None);
    }
    // Opened a second time, a regular file would have a position of its own, and lines would overwrite each other.
    for (stream, names) in [
        (StandardStream::Stdout, ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"]),
        (StandardStream::Stderr, ["/dev/stderr", "/dev/fd/2", "/proc/self/fd/2"]),
    ] {
        if names.iter().any(|name| path == Path::new(name)) {
            return Ok(Some(Box::new(move |line: &[u8]| stream.write_line(line))));
        }
    }
    if !path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return Ok(None);
    }
    let flags = (OFlags::NONBLOCK | OFlags::NOCTTY).bits().cast_signed();
    let file = OpenOptions::new().write(true).custom_flags(flags).open(path)?;
    Ok(Some(Box::new(LogDevice { file, writer: Mutex::new(BoundedWriter::new()) })))
}

impl LineWriter for LogDevice {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).write_line(self.file.as_fd(), line)
    }
}
