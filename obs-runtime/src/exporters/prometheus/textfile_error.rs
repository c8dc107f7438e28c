//! Why a textfile could not be written.

use std::io;
use std::path::{Path, PathBuf};

/// Why the textfile could not be written or extended.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TextfileError {
    /// The folder or a file in it cannot be read or written.
    #[error("PROMETHEUS_TEXTFILE_DIR: cannot {doing} {path}: {source}", path = path.display())]
    Io {
        /// The attempted action.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The reason.
        source: io::Error,
    },
    /// Other processes held the lock until the deadline.
    #[error("PROMETHEUS_TEXTFILE_DIR: timed out waiting for the lock {path}; {kept}", path = path.display(), kept = kept(pending.as_deref()))]
    Locked {
        /// The lock file.
        path: PathBuf,
        /// The file that holds what was not written, for the next writer; `None` if this process keeps it.
        pending: Option<PathBuf>,
    },
    /// The old file was damaged. It is kept under another name, **and the new file is written**.
    #[error("PROMETHEUS_TEXTFILE_DIR: {path} was damaged ({reason}) and is kept as {kept}; its counters restart from zero", path = path.display(), kept = kept.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The new path of the damaged file.
        kept: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}

fn kept(pending: Option<&Path>) -> String {
    match pending {
        Some(path) => format!("the next run adds what is kept in {}", path.display()),
        None => "the next write of this process contains what it did not write".to_owned(),
    }
}

impl TextfileError {
    pub(super) fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing, path: path.to_owned(), source }
    }
}
