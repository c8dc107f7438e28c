//! Settlements that wait beside a database which was locked for too long.
//!
//! Each is a small file of its own in a folder beside the database, and on the disk before its caller continues. The next
//! transaction that writes, of any process, books them. The database keeps their names, so that each is booked once, also if a
//! process is killed before it has removed the file.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use rusqlite::{Transaction, params};
use serde::{Deserialize, Serialize};

use crate::base::shared_folder;

/// The end of the names of files that are complete.
const COMPLETE: &str = "json";

/// What a job cost, or that it was free.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Settlement {
    /// The id of the amount that was held, if one was.
    pub id: String,
    pub budget: String,
    /// In milliseconds since 1970.
    pub at: i64,
    pub nanos: u64,
}

/// The folder beside a database.
#[derive(Debug)]
pub struct DeferredSettlements {
    folder: PathBuf,
}

/// A settlement, and the name of its file.
#[derive(Debug)]
pub struct Deferred {
    pub name: String,
    pub settlement: Settlement,
}

impl DeferredSettlements {
    pub fn beside(database: &Path) -> Self {
        let mut folder = database.as_os_str().to_owned();
        folder.push("-settlements");
        Self { folder: folder.into() }
    }

    /// Keeps a settlement until it is booked.
    ///
    /// # Errors
    /// If it cannot be written to the disk.
    pub fn add(&self, settlement: &Settlement) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let complete = self.folder.join(format!("{}.{COMPLETE}", uuid::Uuid::now_v7()));
        let begun = complete.with_extension("new");
        let write = || {
            let mut file = shared_folder::create(&begun, 0o600)?;
            file.write_all(&serde_json::to_vec(settlement)?)?;
            file.sync_all()?;
            fs::rename(&begun, &complete)
        };
        write().inspect_err(|_| drop(fs::remove_file(&begun)))?;
        // The name is on the disk when its folder is; not every system can sync one.
        let _ = File::open(&self.folder).and_then(|folder| folder.sync_all());
        Ok(())
    }

    /// The settlements that are not removed. What cannot be read stays where it is.
    pub fn all(&self) -> Vec<Deferred> {
        let Ok(files) = fs::read_dir(&self.folder) else { return Vec::new() };
        let read = |file: fs::DirEntry| {
            let path = file.path();
            let is_complete = path.extension().is_some_and(|end| end == COMPLETE);
            let mut content = Vec::new();
            is_complete.then(|| shared_folder::open_to_read(&path)?.read_to_end(&mut content))?.ok()?;
            let name = file.file_name().into_string().ok()?;
            Some(Deferred { name, settlement: serde_json::from_slice(&content).ok()? })
        };
        files.flatten().filter_map(read).collect()
    }

    /// Those that the database has not booked. Listed before the transaction began: what another process booked since then is
    /// in the database already.
    pub fn unbooked(listed: Vec<Deferred>, transaction: &Transaction<'_>) -> rusqlite::Result<Vec<Settlement>> {
        let mut unbooked = Vec::new();
        for Deferred { name, settlement } in listed {
            let is_booked = "SELECT EXISTS (SELECT 1 FROM deferred WHERE name = ?1)";
            if !transaction.query_row(is_booked, [&name], |row| row.get(0))? {
                unbooked.push(settlement);
            }
        }
        Ok(unbooked)
    }

    /// Notes in the database that a settlement is booked. Returns whether it was not booked before.
    pub fn note(transaction: &Transaction<'_>, name: &str, now: i64) -> rusqlite::Result<bool> {
        let note = "INSERT OR IGNORE INTO deferred (name, at) VALUES (?1, ?2)";
        Ok(transaction.execute(note, params![name, now])? > 0)
    }

    /// Removes the files of settlements that are booked.
    pub fn remove(&self, booked: &[Deferred]) {
        for Deferred { name, .. } in booked {
            let _ = fs::remove_file(self.folder.join(name));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complete_files_are_read_and_others_stay() {
        let folder = tempfile::tempdir().unwrap();
        let deferred = DeferredSettlements::beside(&folder.path().join("budgets.sqlite3"));
        assert!(deferred.all().is_empty());
        let settlement = Settlement { id: "1".into(), budget: "b".into(), at: 3, nanos: 4 };
        deferred.add(&settlement).unwrap();
        for name in ["begun.new", "broken.json"] {
            fs::write(folder.path().join("budgets.sqlite3-settlements").join(name), "{").unwrap();
        }
        let all = deferred.all();
        assert_eq!(all.iter().map(|deferred| &deferred.settlement).collect::<Vec<_>>(), [&settlement]);
        deferred.remove(&all);
        assert!(deferred.all().is_empty());
        assert_eq!(fs::read_dir(folder.path().join("budgets.sqlite3-settlements")).unwrap().count(), 2);
    }
}
