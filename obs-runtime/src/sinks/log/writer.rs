//! Where lines are written, each with one write.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

/// Takes whole lines.
pub trait LineWriter: Send + Sync {
    /// Writes a line, its end of line included.
    fn write_line(&self, line: &[u8]) -> io::Result<()>;
}

/// The process' standard error.
pub struct StandardError;

impl LineWriter for StandardError {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        // Not buffered: one write.
        io::stderr().lock().write_all(line)
    }
}

/// A file that lines are appended to. Other processes may do so at the same time: the system puts each write at the end.
pub struct AppendedFile {
    file: File,
    /// Whether the last line stands there in part, because the disk was full.
    torn: AtomicBool,
}

impl AppendedFile {
    /// Opens a file, and makes it and the folders it is in if need be.
    pub fn open(path: &Path) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        Ok(Self { file, torn: AtomicBool::new(false) })
    }
}

impl LineWriter for AppendedFile {
    fn write_line(&self, line: &[u8]) -> io::Result<()> {
        if self.torn.swap(false, Ordering::Relaxed) {
            // What is left of the torn line must not spoil this one.
            if let Err(error) = (&self.file).write_all(b"\n") {
                self.torn.store(true, Ordering::Relaxed);
                return Err(error);
            }
        }
        let mut rest = line;
        while !rest.is_empty() {
            match (&self.file).write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(written) => rest = &rest[written..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.torn.store(rest.len() < line.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
        Ok(())
    }
}
