//! Budgets in a SQLite file, shared by the processes of one machine.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Transaction, TransactionBehavior, params};

use crate::bigquery::budget::store::{BudgetShare, BudgetStore, BudgetStoreError, BudgetUse};
use crate::bigquery::scope::usd;
use crate::pipeline::global;

/// How long a transaction waits for those of other processes.
const LOCK_TIMEOUT: Duration = Duration::from_secs(30);

/// How long entries are kept: longer than the longest period.
const KEPT: Duration = Duration::from_hours(24 * 40);

/// Times are milliseconds since 1970. Each spend is an entry with its time, so that it counts in the period that the
/// budget has now.
const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS entries (budget TEXT NOT NULL, at INTEGER NOT NULL, nanos INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS entries_of_budget ON entries (budget, at);
CREATE TABLE IF NOT EXISTS holds (
    id TEXT NOT NULL PRIMARY KEY, budget TEXT NOT NULL, at INTEGER NOT NULL, nanos INTEGER NOT NULL,
    lease_ends INTEGER NOT NULL, reported INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS holds_of_budget ON holds (budget, at);
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
        let (used, lost) = self.write(|transaction| {
            let oldest = past(KEPT);
            transaction.execute("DELETE FROM entries WHERE at < ?1", [oldest])?;
            transaction.execute("DELETE FROM holds WHERE at < ?1 AND lease_ends < ?1", [oldest])?;
            let lost = lost(transaction, &share.budget)?;
            let used = used(transaction, &share.budget, share.since)?;
            if used.nanos().saturating_add(share.nanos) <= limit_nanos {
                transaction.execute(
                    "INSERT INTO holds (id, budget, at, nanos, lease_ends) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (id) DO UPDATE SET lease_ends = excluded.lease_ends",
                    params![share.id, share.budget, now(), signed(share.nanos), future(lease)],
                )?;
            }
            Ok((used, lost))
        })?;
        for nanos in lost {
            global::warn(format!(
                "a query did not say what it cost of the budget `{}` before its lease ended: its estimate of ${:.6} counts as spent",
                share.budget,
                usd(nanos)
            ));
        }
        Ok(used)
    }

    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError> {
        let renew = "UPDATE holds SET lease_ends = ?2 WHERE id = ?1";
        self.write(|transaction| transaction.execute(renew, params![share.id, future(lease)]).map(drop))
    }

    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError> {
        self.write(|transaction| {
            transaction.execute("DELETE FROM holds WHERE id = ?1", [&share.id])?;
            if nanos > 0 {
                transaction.execute(
                    "INSERT INTO entries (budget, at, nanos) VALUES (?1, ?2, ?3)",
                    params![share.budget, now(), signed(nanos)],
                )?;
            }
            Ok(())
        })
    }

    fn used(&self, budget: &str, since: SystemTime) -> Result<BudgetUse, BudgetStoreError> {
        self.write(|transaction| used(transaction, budget, since))
    }
}

/// The amounts of a budget whose leases have ended since the last call: their processes were killed.
fn lost(transaction: &Transaction<'_>, budget: &str) -> rusqlite::Result<Vec<u64>> {
    let lost = "UPDATE holds SET reported = 1 WHERE budget = ?1 AND lease_ends <= ?2 AND reported = 0 RETURNING nanos";
    let mut lost = transaction.prepare(lost)?;
    let rows = lost.query_map(params![budget, now()], |row| row.get::<_, i64>(0))?;
    rows.map(|nanos| nanos.map(i64::unsigned_abs)).collect()
}

/// What is used since a time. An amount whose lease has ended counts as spent: its process was killed, and the
/// query may have run.
fn used(transaction: &Transaction<'_>, budget: &str, since: SystemTime) -> rusqlite::Result<BudgetUse> {
    let sum = |sql: &str| {
        let values = params![budget, now(), milliseconds(since)];
        transaction.query_row(sql, values, |row| row.get::<_, i64>(0)).map(i64::unsigned_abs)
    };
    let entries = sum("SELECT COALESCE(SUM(nanos), 0) FROM entries WHERE budget = ?1 AND at >= ?3 AND ?2 IS NOT NULL")?;
    let lost = sum("SELECT COALESCE(SUM(nanos), 0) FROM holds WHERE budget = ?1 AND lease_ends <= ?2 AND at >= ?3")?;
    let held =
        sum("SELECT COALESCE(SUM(nanos), 0) FROM holds WHERE budget = ?1 AND lease_ends > ?2 AND ?3 IS NOT NULL")?;
    Ok(BudgetUse { spent_nanos: entries.saturating_add(lost), held_nanos: held })
}

fn now() -> i64 {
    milliseconds(SystemTime::now())
}

fn future(from_now: Duration) -> i64 {
    now().saturating_add(i64::try_from(from_now.as_millis()).unwrap_or(i64::MAX))
}

fn past(before_now: Duration) -> i64 {
    now().saturating_sub(i64::try_from(before_now.as_millis()).unwrap_or(i64::MAX))
}

fn milliseconds(time: SystemTime) -> i64 {
    i64::try_from(time.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(i64::MAX)
}

fn signed(nanos: u64) -> i64 {
    i64::try_from(nanos).unwrap_or(i64::MAX)
}
