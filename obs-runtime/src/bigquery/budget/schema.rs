//! The SQLite file of budgets: how it is opened, and its tables.

use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::base::shared_folder;
use crate::bigquery::budget::lock_deadline::{self, WAIT};
use crate::bigquery::budget::store::BudgetStoreError;

/// The steps from an empty file to the current tables; `user_version` is the number of those that were taken.
///
/// Times are milliseconds since 1970. Each spend is an entry with its time, so that it counts in the period that the
/// budget has now.
const STEPS: [&str; 4] = [
    // Files of before the steps were counted have these tables.
    "CREATE TABLE IF NOT EXISTS entries (budget TEXT NOT NULL, at INTEGER NOT NULL, nanos INTEGER NOT NULL);
     CREATE INDEX IF NOT EXISTS entries_of_budget ON entries (budget, at);
     CREATE TABLE IF NOT EXISTS holds (
         id TEXT NOT NULL PRIMARY KEY, budget TEXT NOT NULL, at INTEGER NOT NULL, nanos INTEGER NOT NULL,
         lease_ends INTEGER NOT NULL, reported INTEGER NOT NULL DEFAULT 0
     ) WITHOUT ROWID;
     CREATE INDEX IF NOT EXISTS holds_of_budget ON holds (budget, at);",
    "ALTER TABLE entries ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
     ALTER TABLE holds ADD COLUMN owner TEXT;
     ALTER TABLE holds ADD COLUMN endpoint TEXT;
     ALTER TABLE holds ADD COLUMN project TEXT;
     ALTER TABLE holds ADD COLUMN location TEXT;
     ALTER TABLE holds ADD COLUMN job TEXT;",
    "CREATE TABLE limits (budget TEXT NOT NULL PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE alerts (
         budget TEXT NOT NULL, since INTEGER NOT NULL, percent INTEGER NOT NULL, PRIMARY KEY (budget, since, percent)
     ) WITHOUT ROWID;",
    "CREATE TABLE deferred (name TEXT NOT NULL PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;",
];

/// Opens the file. Creates it, its folder and its tables if they do not exist.
pub fn open(file: &Path) -> Result<Connection, Fault> {
    let fault = |error: rusqlite::Error| Fault::of(file, &error);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| self::fault(folder, &error))?;
    }
    let mut connection = open_unfollowed(file)?;
    connection.busy_handler(Some(lock_deadline::pause)).map_err(fault)?;
    // A write-ahead log keeps the file consistent if a process is killed. Committed transactions are synced to disk.
    let mode = |mode: &str| connection.pragma_update(None, "journal_mode", mode);
    mode("WAL").or_else(|error| if is_busy(&error) { Ok(()) } else { Err(error) }).map_err(fault)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(fault)?;
    upgrade(&mut connection).map_err(fault)?;
    Ok(connection)
}

/// Opens the file, which only this user can read if it is new. Another user of the folder may have put a link or a pipe there.
fn open_unfollowed(file: &Path) -> Result<Connection, BudgetStoreError> {
    // Closing any descriptor of the file releases this process's locks on it: the new file is closed before another thread
    // can open it, and an existing one is not opened to look at it.
    static CREATING: Mutex<()> = Mutex::new(());
    let fault = |error: &dyn std::error::Error| fault(file, error);
    let folder = file.parent().unwrap_or(Path::new("")).canonicalize();
    let path = folder.map_err(|error| fault(&error))?.join(file.file_name().unwrap_or_default());
    let _creating = CREATING.lock().unwrap_or_else(PoisonError::into_inner);
    match shared_folder::create(&path, 0o600) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(fault(&error)),
        _ => shared_folder::check_to_write(&path).map_err(|error| fault(&error))?,
    }
    let flags = OpenFlags::default() | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    Connection::open_with_flags(&path, flags).map_err(|error| fault(&error))
}

/// Whether a file was written by a version of obs with further tables.
#[cfg(feature = "cli")]
pub fn is_newer(file: &Path) -> bool {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let version = connection.and_then(|file| file.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)));
    version.is_ok_and(|version| version as usize > STEPS.len())
}

fn upgrade(connection: &mut Connection) -> rusqlite::Result<()> {
    let taken = |connection: &Connection| -> rusqlite::Result<usize> {
        connection.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).map(|taken| taken as usize)
    };
    if taken(connection)? >= STEPS.len() {
        return Ok(());
    }
    // Another process may take the steps at the same time: counted again under the lock.
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let from = taken(&transaction)?;
    STEPS.iter().skip(from).try_for_each(|step| transaction.execute_batch(step))?;
    let version = i64::try_from(STEPS.len().max(from)).unwrap_or(i64::MAX);
    transaction.pragma_update(None, "user_version", version)?;
    transaction.commit()
}

/// Whether another process holds the lock: it has set the journal mode then.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
}

/// Why a transaction failed.
#[derive(Debug)]
pub enum Fault {
    /// Others had locked the file until the deadline.
    Locked(BudgetStoreError),
    Other(BudgetStoreError),
}

impl Fault {
    pub fn of(file: &Path, error: &rusqlite::Error) -> Self {
        if is_busy(error) { Self::locked(file) } else { Self::Other(fault(file, error)) }
    }

    pub fn locked(file: &Path) -> Self {
        Self::Locked(BudgetStoreError(format!("{}: locked by another process for {WAIT:?}", file.display())))
    }

    pub fn into_error(self) -> BudgetStoreError {
        match self {
            Self::Locked(error) | Self::Other(error) => error,
        }
    }
}

impl From<BudgetStoreError> for Fault {
    fn from(error: BudgetStoreError) -> Self {
        Self::Other(error)
    }
}

/// An error that names the file.
pub fn fault(file: &Path, error: &dyn std::error::Error) -> BudgetStoreError {
    BudgetStoreError(format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_an_earlier_version_keeps_what_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("budgets.sqlite3");
        let old = Connection::open(&file).unwrap();
        old.execute_batch(STEPS[0]).unwrap();
        old.execute_batch("INSERT INTO entries VALUES ('b', 1, 2); INSERT INTO holds VALUES ('id', 'b', 1, 2, 3, 0);")
            .unwrap();
        drop(old);
        for _ in 0..2 {
            let new = open(&file).unwrap();
            let sum: i64 = new
                .query_row(
                    "SELECT SUM(nanos) + (SELECT COUNT(*) FROM holds WHERE owner IS NULL) FROM entries",
                    [],
                    |row| row.get(0),
                )
                .unwrap();
            assert_eq!(sum, 3);
        }
    }
}
