//! Budgets in a SQLite file, shared by the processes of one machine.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::bigquery::budget::store::{BudgetShare, BudgetStore, BudgetStoreError, BudgetUse};

/// How long a transaction waits for those of other processes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS spent (
    budget TEXT NOT NULL, period TEXT NOT NULL, nanos INTEGER NOT NULL,
    PRIMARY KEY (budget, period)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS held (
    id TEXT NOT NULL PRIMARY KEY, budget TEXT NOT NULL, period TEXT NOT NULL, nanos INTEGER NOT NULL,
    lease_ends INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS held_of_budget ON held (budget, period);
";

/// A SQLite file. It is opened on first use, and created with its folder if it does not exist.
#[derive(Debug)]
pub struct SqliteBudgets {
    file: PathBuf,
    connection: Mutex<Option<Connection>>,
}

impl SqliteBudgets {
    /// A store in this file.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        Self { file: file.into(), connection: Mutex::new(None) }
    }

    /// Runs a write transaction, which holds the write lock from its beginning.
    fn write<T>(&self, run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, BudgetStoreError> {
        let mut connection = self.connection.lock().unwrap_or_else(PoisonError::into_inner);
        let connection = match &mut *connection {
            Some(connection) => connection,
            closed @ None => closed.insert(open(&self.file)?),
        };
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate);
        let transaction = transaction.map_err(|error| self.fault(&error))?;
        let value = run(&transaction).map_err(|error| self.fault(&error))?;
        transaction.commit().map_err(|error| self.fault(&error))?;
        Ok(value)
    }

    fn fault(&self, error: &rusqlite::Error) -> BudgetStoreError {
        fault(&self.file, error)
    }
}

fn fault(file: &Path, error: &dyn std::error::Error) -> BudgetStoreError {
    BudgetStoreError(format!("{}: {error}", file.display()))
}

fn open(file: &Path) -> Result<Connection, BudgetStoreError> {
    let fault = |error: rusqlite::Error| fault(file, &error);
    if let Some(folder) = file.parent() {
        std::fs::create_dir_all(folder).map_err(|error| self::fault(folder, &error))?;
    }
    let connection = Connection::open(file).map_err(fault)?;
    connection.busy_timeout(LOCK_TIMEOUT).map_err(fault)?;
    // A write-ahead log keeps the file consistent if a process is killed. Committed transactions are synced to disk.
    let mode = |mode: &str| connection.pragma_update(None, "journal_mode", mode);
    mode("WAL").or_else(|error| if is_busy(&error) { Ok(()) } else { Err(error) }).map_err(fault)?;
    connection.pragma_update(None, "synchronous", "FULL").map_err(fault)?;
    connection.execute_batch(SCHEMA).map_err(fault)?;
    Ok(connection)
}

/// Whether another process holds the lock: it has set the journal mode then.
fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked))
}

impl BudgetStore for SqliteBudgets {
    fn hold(&self, share: &BudgetShare, limit_nanos: u64, lease: Duration) -> Result<BudgetUse, BudgetStoreError> {
        self.write(|transaction| {
            let now = milliseconds(Duration::ZERO);
            transaction.execute("DELETE FROM held WHERE lease_ends <= ?1", [now])?;
            let used = used(transaction, &share.budget, &share.period)?;
            if used.nanos().saturating_add(share.nanos) <= limit_nanos {
                transaction.execute(
                    "INSERT INTO held (id, budget, period, nanos, lease_ends) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (id) DO UPDATE SET lease_ends = excluded.lease_ends",
                    params![share.id, share.budget, share.period, signed(share.nanos), milliseconds(lease)],
                )?;
            }
            Ok(used)
        })
    }

    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError> {
        let renew = "UPDATE held SET lease_ends = ?2 WHERE id = ?1";
        self.write(|transaction| transaction.execute(renew, params![share.id, milliseconds(lease)]).map(drop))
    }

    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM held WHERE id = ?1", [&share.id])?;
            if nanos > 0 {
                transaction.execute(
                    "INSERT INTO spent (budget, period, nanos) VALUES (?1, ?2, ?3)
                     ON CONFLICT (budget, period) DO UPDATE SET nanos = nanos + excluded.nanos",
                    params![share.budget, share.period, signed(nanos)],
                )?;
            }
            Ok(())
        })
    }

    fn used(&self, budget: &str, period: &str) -> Result<BudgetUse, BudgetStoreError> {
        self.write(|transaction| used(transaction, budget, period))
    }
}

fn used(transaction: &Transaction<'_>, budget: &str, period: &str) -> rusqlite::Result<BudgetUse> {
    let spent = "SELECT nanos FROM spent WHERE budget = ?1 AND period = ?2";
    let spent: Option<i64> = transaction.query_row(spent, [budget, period], |row| row.get(0)).optional()?;
    let held = "SELECT COALESCE(SUM(nanos), 0) FROM held WHERE budget = ?1 AND period = ?2 AND lease_ends > ?3";
    let held: i64 =
        transaction.query_row(held, params![budget, period, milliseconds(Duration::ZERO)], |row| row.get(0))?;
    Ok(BudgetUse { spent_nanos: spent.unwrap_or(0).unsigned_abs(), held_nanos: held.unsigned_abs() })
}

/// The end of a lease that begins now, as stored in the file.
fn milliseconds(from_now: Duration) -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.saturating_add(from_now).as_millis()).unwrap_or(i64::MAX)
}

fn signed(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}
