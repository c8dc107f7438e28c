//! Budgets in a SQLite file, shared by the processes of one machine.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, Row, Transaction, TransactionBehavior, params};

use crate::base::clock;
use crate::bigquery::budget::deferred::{DeferredSettlements, Settlement};
use crate::bigquery::budget::lock_deadline::LockDeadline;
use crate::bigquery::budget::owners::Owners;
use crate::bigquery::budget::schema::{Fault, fault, open};
use crate::bigquery::budget::store::{BudgetJob, BudgetShare, BudgetStore, BudgetStoreError, BudgetUse, LostShare};
use crate::bigquery::scope::usd;
use crate::config::budgets::Budget;
use crate::exporters::deadline_mutex::DeadlineMutex;
use crate::pipeline::global;

/// How long entries are kept: longer than the longest period.
const KEPT: Duration = Duration::from_hours(24 * 40);

/// A SQLite file. It is opened on first use, and created with its folder if it does not exist.
///
/// Beside it, each process that holds an amount keeps a locked file, by which the others see when it ends.
///
/// A transaction waits at most two seconds for those of other processes. A settlement that finds the file locked for longer is
/// kept in a file beside it, and booked by the next transaction that writes, of any process.
#[derive(Debug)]
pub struct SqliteBudgets {
    file: PathBuf,
    owners: Owners,
    deferred: DeferredSettlements,
    connection: DeadlineMutex<Option<Connection>>,
}

impl SqliteBudgets {
    /// A store in this file.
    #[must_use]
    pub fn new(file: impl Into<PathBuf>) -> Self {
        let file = file.into();
        let (owners, deferred) = (Owners::beside(&file), DeferredSettlements::beside(&file));
        Self { owners, deferred, file, connection: DeadlineMutex::new(None) }
    }

    /// Runs a write transaction, which holds the write lock from its beginning, and books deferred settlements first.
    fn write<T>(&self, run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>) -> Result<T, Fault> {
        let (value, booked) = self.transact(TransactionBehavior::Immediate, |transaction| {
            let booked = self.deferred.all();
            for deferred in &booked {
                if DeferredSettlements::note(transaction, &deferred.name, now())? {
                    settle(transaction, &deferred.settlement)?;
                }
            }
            Ok((run(transaction)?, booked))
        })?;
        self.deferred.remove(&booked);
        Ok(value)
    }

    /// Runs a transaction that only reads. It also gets the settlements that are not booked.
    fn read<T>(
        &self,
        run: impl FnOnce(&Transaction<'_>, &[Settlement]) -> rusqlite::Result<T>,
    ) -> Result<T, BudgetStoreError> {
        let listed = self.deferred.all();
        let read = self.transact(TransactionBehavior::Deferred, |transaction| {
            run(transaction, &DeferredSettlements::unbooked(listed, transaction)?)
        });
        read.map_err(Fault::into_error)
    }

    fn transact<T>(
        &self,
        behavior: TransactionBehavior,
        run: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> Result<T, Fault> {
        let _deadline = LockDeadline::begin();
        let transact = |connection: &mut Option<Connection>| {
            let connection = match connection {
                Some(connection) => connection,
                closed @ None => closed.insert(open(&self.file)?),
            };
            let run = || {
                let transaction = connection.transaction_with_behavior(behavior)?;
                let value = run(&transaction)?;
                transaction.commit().map(|()| value)
            };
            run().map_err(|error| Fault::of(&self.file, &error))
        };
        self.connection.with(LockDeadline::get(), transact).unwrap_or_else(|| Err(Fault::locked(&self.file)))
    }

    /// Removes what is older than any period, and the files of processes that hold nothing any more.
    fn tidy(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let oldest = past(KEPT);
        transaction.execute("DELETE FROM entries WHERE at < ?1", [oldest])?;
        transaction.execute("DELETE FROM holds WHERE at < ?1 AND lease_ends < ?1", [oldest])?;
        transaction.execute("DELETE FROM alerts WHERE since < ?1", [oldest])?;
        transaction.execute("DELETE FROM deferred WHERE at < ?1", [oldest])?;
        if self.owners.is_first() {
            let mut owners = transaction.prepare("SELECT DISTINCT owner FROM holds WHERE owner IS NOT NULL")?;
            let owners: HashSet<String> = owners.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
            self.owners.sweep(|name| owners.contains(name));
        }
        Ok(())
    }

    /// What is used since a time. An amount whose lease has ended, and whose process does not run, counts as spent: its
    /// query may have run. The second part are these amounts. `unbooked` are settlements that count as booked.
    fn sum(
        &self,
        transaction: &Transaction<'_>,
        budget: &str,
        since: SystemTime,
        unbooked: &[Settlement],
    ) -> rusqlite::Result<(BudgetUse, Vec<Hold>)> {
        let since = milliseconds(since);
        let entries = "SELECT COALESCE(SUM(nanos), 0), COALESCE(SUM(nanos * estimated), 0)
                       FROM entries WHERE budget = ?1 AND at >= ?2";
        let (spent, estimated) =
            transaction.query_row(entries, params![budget, since], |row| Ok((unsigned(row, 0)?, unsigned(row, 1)?)))?;
        let mut used = BudgetUse { spent_nanos: spent, estimated_nanos: estimated, held_nanos: 0 };
        let in_period = |settlement: &&Settlement| settlement.budget == budget && settlement.at >= since;
        for settlement in unbooked.iter().filter(in_period) {
            used.spent_nanos = used.spent_nanos.saturating_add(settlement.nanos);
        }
        let (mut lost, now) = (Vec::new(), now());
        for hold in holds(transaction, budget, unbooked)? {
            let has_owner = || hold.owner.as_ref().is_some_and(|owner| self.owners.holds(owner, &hold.id));
            if hold.lease_ends > now || has_owner() {
                used.held_nanos = used.held_nanos.saturating_add(hold.nanos);
                continue;
            }
            if hold.at >= since {
                used.spent_nanos = used.spent_nanos.saturating_add(hold.nanos);
                used.estimated_nanos = used.estimated_nanos.saturating_add(hold.nanos);
            }
            lost.push(hold);
        }
        Ok((used, lost))
    }
}

impl BudgetStore for SqliteBudgets {
    fn hold(&self, share: &BudgetShare, limit_nanos: u64, lease: Duration) -> Result<BudgetUse, BudgetStoreError> {
        let (used, lost) = self
            .write(|transaction| {
                self.tidy(transaction)?;
                let (used, mut lost) = self.sum(transaction, &share.budget, share.since, &[])?;
                lost.retain(|hold| !hold.reported);
                for hold in &lost {
                    transaction.execute("UPDATE holds SET reported = 1 WHERE id = ?1", [&hold.id])?;
                }
                if used.nanos().saturating_add(share.nanos) <= limit_nanos {
                    let job = share.job.as_ref();
                    transaction.execute(
                        "INSERT INTO holds (id, budget, at, nanos, lease_ends, owner, endpoint, project, location, job)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)
                     ON CONFLICT (id) DO UPDATE SET lease_ends = excluded.lease_ends",
                        params![
                            share.id,
                            share.budget,
                            now(),
                            signed(share.nanos),
                            future(lease),
                            self.owners.own(),
                            job.map(|job| &job.endpoint),
                            job.map(|job| &job.project),
                            job.and_then(|job| job.location.as_ref()),
                            job.map(|job| &job.id),
                        ],
                    )?;
                }
                Ok((used, lost))
            })
            .map_err(Fault::into_error)?;
        for hold in lost {
            global::warn(format!(
                "a query did not say what it cost of the budget `{}` before its lease ended: its estimate of ${:.6} counts as spent",
                share.budget,
                usd(hold.nanos)
            ));
        }
        Ok(used)
    }

    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError> {
        let renew = "UPDATE holds SET lease_ends = ?2 WHERE id = ?1";
        self.write(|transaction| transaction.execute(renew, params![share.id, future(lease)]).map(drop))
            .map_err(Fault::into_error)
    }

    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError> {
        let settlement = Settlement { id: share.id.clone(), budget: share.budget.clone(), at: now(), nanos };
        match self.write(|transaction| settle(transaction, &settlement)) {
            Err(Fault::Locked(error)) => match self.deferred.add(&settlement) {
                Ok(()) => {
                    let usd = usd(nanos);
                    global::warn(format!(
                        "{error}: ${usd:.6} of the budget `{}` are booked by the next query",
                        share.budget
                    ));
                    Ok(())
                }
                Err(_) => Err(error),
            },
            settled => settled.map_err(Fault::into_error),
        }
    }

    fn used(&self, budget: &str, since: SystemTime) -> Result<BudgetUse, BudgetStoreError> {
        self.read(|transaction, unbooked| self.sum(transaction, budget, since, unbooked).map(|(used, _)| used))
    }

    fn abandon(&self, share: &BudgetShare) -> Result<(), BudgetStoreError> {
        let abandon = "UPDATE holds SET owner = NULL, lease_ends = 0, reported = 1 WHERE id = ?1";
        self.write(|transaction| transaction.execute(abandon, [&share.id]).map(drop)).map_err(Fault::into_error)
    }

    fn lost(&self, budget: &str) -> Result<Vec<LostShare>, BudgetStoreError> {
        let now = now();
        let holds = self.read(|transaction, unbooked| holds(transaction, budget, unbooked))?;
        let is_lost = |hold: &Hold| match &hold.owner {
            Some(owner) => !self.owners.holds(owner, &hold.id),
            None => hold.lease_ends <= now,
        };
        let lost = holds.into_iter().filter(|hold| hold.job.is_some() && is_lost(hold));
        Ok(lost
            .filter_map(|hold| {
                Some(LostShare {
                    id: hold.id,
                    budget: budget.to_owned(),
                    nanos: hold.nanos,
                    at: UNIX_EPOCH.checked_add(Duration::from_millis(hold.at.unsigned_abs()))?,
                    lease_has_ended: hold.lease_ends <= now,
                    job: hold.job?,
                })
            })
            .collect())
    }

    fn recover(&self, lost: &LostShare, nanos: u64, estimated: bool) -> Result<bool, BudgetStoreError> {
        self.write(|transaction| {
            let is_there = transaction.execute("DELETE FROM holds WHERE id = ?1", [&lost.id])? > 0;
            if is_there {
                book(transaction, &lost.budget, milliseconds(lost.at), nanos, estimated)?;
            }
            Ok(is_there)
        })
        .map_err(Fault::into_error)
    }

    fn limits(&self) -> Result<Vec<Budget>, BudgetStoreError> {
        let definitions: Vec<String> = self.read(|transaction, _| {
            let mut limits = transaction.prepare("SELECT definition FROM limits ORDER BY budget")?;
            limits.query_map([], |row| row.get(0))?.collect()
        })?;
        let read = |definition: String| {
            let budgets = crate::config::budgets::parse(&definition).unwrap_or_default();
            budgets
                .into_iter()
                .next()
                .ok_or_else(|| fault(&self.file, &BudgetStoreError(format!("{definition} is no limit"))))
        };
        definitions.into_iter().map(read).collect()
    }

    fn set_limit(&self, limit: &Budget) -> Result<(), BudgetStoreError> {
        let set = "INSERT OR REPLACE INTO limits (budget, definition) VALUES (?1, ?2)";
        self.write(|transaction| transaction.execute(set, params![limit.name, limit.to_string()]).map(drop))
            .map_err(Fault::into_error)
    }

    fn remove_limit(&self, budget: &str) -> Result<(), BudgetStoreError> {
        let remove = "DELETE FROM limits WHERE budget = ?1";
        self.write(|transaction| transaction.execute(remove, [budget]).map(drop)).map_err(Fault::into_error)
    }

    fn reset(&self, budget: &str, since: SystemTime) -> Result<(), BudgetStoreError> {
        self.write(|transaction| {
            let (_, lost) = self.sum(transaction, budget, since, &[])?;
            for hold in lost {
                transaction.execute("DELETE FROM holds WHERE id = ?1", [&hold.id])?;
            }
            for table in [
                "DELETE FROM entries WHERE budget = ?1 AND at >= ?2",
                "DELETE FROM alerts WHERE budget = ?1 AND since >= ?2",
            ] {
                transaction.execute(table, params![budget, milliseconds(since)])?;
            }
            Ok(())
        })
        .map_err(Fault::into_error)
    }

    fn alert_once(&self, budget: &str, since: SystemTime, percent: u8) -> Result<bool, BudgetStoreError> {
        let values = params![budget, milliseconds(since), percent];
        let was = "SELECT EXISTS (SELECT 1 FROM alerts WHERE budget = ?1 AND since = ?2 AND percent = ?3)";
        // Read first: most calls find the alert, and need no lock.
        if self.read(|transaction, _| transaction.query_row(was, values, |row| row.get(0)))? {
            return Ok(false);
        }
        let add = "INSERT OR IGNORE INTO alerts (budget, since, percent) VALUES (?1, ?2, ?3)";
        self.write(|transaction| Ok(transaction.execute(add, values)? > 0)).map_err(Fault::into_error)
    }
}

/// A row of the table of holds.
struct Hold {
    id: String,
    at: i64,
    nanos: u64,
    lease_ends: i64,
    reported: bool,
    owner: Option<String>,
    job: Option<BudgetJob>,
}

/// The amounts that are held of a budget, but for those that `unbooked` settles.
fn holds(transaction: &Transaction<'_>, budget: &str, unbooked: &[Settlement]) -> rusqlite::Result<Vec<Hold>> {
    let mut holds = transaction.prepare(
        "SELECT id, at, nanos, lease_ends, reported, owner, endpoint, project, location, job
         FROM holds WHERE budget = ?1 ORDER BY at",
    )?;
    let holds = holds.query_map([budget], |row| {
        let (endpoint, project, id): (Option<_>, Option<_>, Option<_>) = (row.get(6)?, row.get(7)?, row.get(9)?);
        let location = row.get(8)?;
        let job = endpoint.zip(project).zip(id);
        Ok(Hold {
            id: row.get(0)?,
            at: row.get(1)?,
            nanos: unsigned(row, 2)?,
            lease_ends: row.get(3)?,
            reported: row.get(4)?,
            owner: row.get(5)?,
            job: job.map(|((endpoint, project), id)| BudgetJob { endpoint, project, location, id }),
        })
    })?;
    let is_held = |hold: &Hold| !unbooked.iter().any(|settlement| settlement.id == hold.id);
    holds.filter(|hold| hold.as_ref().map_or(true, is_held)).collect()
}

/// Replaces what was held, if anything was, by what was spent.
fn settle(transaction: &Transaction<'_>, settlement: &Settlement) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM holds WHERE id = ?1", [&settlement.id])?;
    book(transaction, &settlement.budget, settlement.at, settlement.nanos, false)
}

/// Adds an amount to what is spent.
fn book(transaction: &Transaction<'_>, budget: &str, at: i64, nanos: u64, estimated: bool) -> rusqlite::Result<()> {
    if nanos > 0 {
        transaction.execute(
            "INSERT INTO entries (budget, at, nanos, estimated) VALUES (?1, ?2, ?3, ?4)",
            params![budget, at, signed(nanos), estimated],
        )?;
    }
    Ok(())
}

fn now() -> i64 {
    milliseconds(clock::wall())
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

fn unsigned(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    row.get::<_, i64>(column).map(i64::unsigned_abs)
}
