//! Whether the processes that hold amounts still run.
//!
//! Each process keeps a file of its own locked. The operating system releases the lock when the process ends, also when it is
//! killed, and no clock is involved. All methods are called within transactions of the database beside the files.

use std::collections::HashSet;
use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::shared_folder;

/// The ids of the amounts that this process still holds.
static LIVE: Mutex<Option<HashSet<String>>> = Mutex::new(None);

/// An amount that this process holds, until the last clone is dropped.
#[derive(Clone, Debug)]
pub struct Live {
    _guard: Arc<LiveId>,
}

#[derive(Debug)]
struct LiveId(String);

impl Live {
    pub fn new(id: &str) -> Self {
        with_live(|live| live.insert(id.to_owned()));
        Self { _guard: Arc::new(LiveId(id.to_owned())) }
    }
}

impl Drop for LiveId {
    fn drop(&mut self) {
        with_live(|live| live.remove(&self.0));
    }
}

fn with_live<T>(with: impl FnOnce(&mut HashSet<String>) -> T) -> T {
    with(LIVE.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_default())
}

/// The files of the processes that share a database.
#[derive(Debug)]
pub struct Owners {
    folder: PathBuf,
    /// The name of this process's file, and the locked file. An empty name: there is no lock on this file system.
    own: Mutex<Option<(String, Option<File>)>>,
}

impl Owners {
    /// The files beside this database.
    pub fn beside(database: &Path) -> Self {
        let mut folder = database.as_os_str().to_owned();
        folder.push("-owners");
        Self { folder: folder.into(), own: Mutex::new(None) }
    }

    /// The name of this process; none if the file system has no locks. Then only leases tell whether a process runs.
    pub fn own(&self) -> Option<String> {
        let mut own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        let (name, _) = own.get_or_insert_with(|| {
            let name = uuid::Uuid::now_v7().to_string();
            match self.lock(&name) {
                Some(file) => (name, Some(file)),
                None => (String::new(), None),
            }
        });
        Some(name.clone()).filter(|name| !name.is_empty())
    }

    fn lock(&self, name: &str) -> Option<File> {
        std::fs::create_dir_all(&self.folder).ok()?;
        let file = shared_folder::create(&self.folder.join(name), 0o600).ok()?;
        file.try_lock().ok()?;
        Some(file)
    }

    /// Whether this process has no name yet: it has held nothing so far.
    pub fn is_first(&self) -> bool {
        self.own.lock().unwrap_or_else(PoisonError::into_inner).is_none()
    }

    /// Whether the process that holds an amount still runs and may settle it.
    pub fn holds(&self, owner: &str, id: &str) -> bool {
        let own = self.own.lock().unwrap_or_else(PoisonError::into_inner);
        if own.as_ref().is_some_and(|(name, _)| name == owner) {
            return with_live(|live| live.contains(id));
        }
        self.runs(owner)
    }

    /// Whether the file of a process is locked. What cannot be read counts as locked: nothing is released by mistake.
    fn runs(&self, owner: &str) -> bool {
        match shared_folder::open_to_read(&self.folder.join(owner)) {
            Ok(file) => matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock | TryLockError::Error(_))),
            Err(error) => error.kind() != std::io::ErrorKind::NotFound,
        }
    }

    /// Removes the files of processes that have ended, except for those that `is_needed`.
    pub fn sweep(&self, is_needed: impl Fn(&str) -> bool) {
        // Another user may have put a link to another folder there.
        if !self.folder.symlink_metadata().is_ok_and(|folder| folder.is_dir()) {
            return;
        }
        let Ok(files) = std::fs::read_dir(&self.folder) else { return };
        for file in files.flatten() {
            let name = file.file_name();
            let Some(name) = name.to_str().filter(|name| uuid::Uuid::try_parse(name).is_ok()) else { continue };
            let is_own =
                self.own.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|own| own.0 == name);
            if !is_own && !is_needed(name) && !self.runs(name) {
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_runs_while_its_file_is_locked() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("budgets.sqlite3");
        let (one, other) = (Owners::beside(&database), Owners::beside(&database));
        let name = one.own().unwrap();
        assert_eq!(one.own().as_ref(), Some(&name));
        assert!(other.holds(&name, "1") && !one.holds(&name, "1"), "only its own process knows what it holds");
        let live = Live::new("1");
        assert!(one.holds(&name, "1"));
        drop((live.clone(), live));
        assert!(!one.holds(&name, "1"));
        other.sweep(|_| false);
        assert!(other.holds(&name, "1"), "the file of a running process stays");
        drop(one);
        assert!(!other.holds(&name, "1") && !other.holds("unknown", "1"));
        other.sweep(|needed| needed == name);
        assert!(folder.path().join("budgets.sqlite3-owners").join(&name).exists());
        other.sweep(|_| false);
        assert!(!folder.path().join("budgets.sqlite3-owners").join(&name).exists());
    }
}
