//! Why a textfile could not be written.

use std::io;
use std::path::{Path, PathBuf};

/// Why the textfile could not be written as it should.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextfileError {
    /// The folder or a file in it cannot be used.
    #[error("PROMETHEUS_TEXTFILE_DIR: cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Other processes held the lock until the deadline. Nothing is lost as long as there is another write.
    #[error("PROMETHEUS_TEXTFILE_DIR: another process holds {path}: not written in time", path = path.display())]
    Locked {
        /// The lock's file.
        path: PathBuf,
    },
    /// What was in the file could not be added to. It is kept beside the new one, **which is written**.
    #[error("PROMETHEUS_TEXTFILE_DIR: {path} was damaged ({reason}): counting began anew, what was in it is kept as {kept}", path = path.display(), kept = kept.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where its old content is now.
        kept: PathBuf,
        /// What was wrong with it.
        reason: String,
    },
}

impl TextfileError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
