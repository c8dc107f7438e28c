//! The interface of budget stores.

use std::fmt;
use std::time::{Duration, SystemTime};

use crate::config::budgets::Budget;

/// An amount that a query holds in a budget.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetShare {
    /// A unique id.
    pub id: String,
    /// The name of the budget.
    pub budget: String,
    /// The period: `2026-11-26`, `2026-W48`, `2026-11`.
    pub period: String,
    /// When that period began.
    pub since: SystemTime,
    /// The amount, in billionths of a US dollar.
    pub nanos: u64,
    /// The job that it is held for, if the tracked client runs it.
    pub job: Option<BudgetJob>,
}

/// A job that an amount is held for, by which BigQuery can be asked what it cost.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetJob {
    /// The URL of the API that runs it.
    pub endpoint: String,
    /// The project that runs it.
    pub project: String,
    /// Its location, if known.
    pub location: Option<String>,
    /// Its id.
    pub id: String,
}

/// An amount that is held for a job whose process has ended without settling it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LostShare {
    /// The id of the amount.
    pub id: String,
    /// The name of the budget.
    pub budget: String,
    /// The amount, in billionths of a US dollar.
    pub nanos: u64,
    /// Since when it is held.
    pub at: SystemTime,
    /// Whether its lease has ended.
    pub lease_has_ended: bool,
    /// The job.
    pub job: BudgetJob,
}

/// The used amounts of a budget in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// Spent, in billionths of a US dollar; also the amounts whose leases ended before they were settled.
    pub spent_nanos: u64,
    /// The part of it that is not known from BigQuery: estimates of queries whose cost could not be asked.
    pub estimated_nanos: u64,
    /// Held by queries that have not ended, in billionths of a US dollar.
    pub held_nanos: u64,
}

impl BudgetUse {
    /// What is spent and what is held.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.spent_nanos.saturating_add(self.held_nanos)
    }
}

/// The error of a store that cannot be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BudgetStoreError(pub String);

/// Stores the spent and the held amounts of budgets, for all processes that share them: a file for one machine, or a
/// database for a fleet.
///
/// Each method is one transaction. Its effect is visible to all processes when it returns, and survives a crash.
pub trait BudgetStore: fmt::Debug + Send + Sync {
    /// Holds an amount until it is settled, unless the used amounts would exceed `limit_nanos`. Returns what was used
    /// before. The amount is held if the sum of both is within the limit. Once its lease has ended it counts as spent,
    /// unless the store knows that its process still runs: its process was killed, and its query may have run.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached. The query is refused then.
    fn hold(&self, share: &BudgetShare, limit_nanos: u64, lease: Duration) -> Result<BudgetUse, BudgetStoreError>;

    /// Sets the end of the lease of a held amount to `lease` from now.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError>;

    /// Replaces a held amount by the spent amount `nanos`, also if its lease has ended. If it was never held, `nanos`
    /// is only added to what is spent.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError>;

    /// Returns what was spent of a budget since a point in time, the beginning of its period, and what is held.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn used(&self, budget: &str, since: SystemTime) -> Result<BudgetUse, BudgetStoreError>;

    /// Counts a held amount as spent until it is [recovered](Self::recover): its process will not settle it, because it
    /// could not ask BigQuery what the job cost. By default, ends its lease.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn abandon(&self, share: &BudgetShare) -> Result<(), BudgetStoreError> {
        self.renew(share, Duration::ZERO)
    }

    /// Returns the amounts of a budget that are held for jobs, and that no process will settle. By default, none.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn lost(&self, budget: &str) -> Result<Vec<LostShare>, BudgetStoreError> {
        let _ = budget;
        Ok(Vec::new())
    }

    /// Replaces a [lost](Self::lost) amount by `nanos`, spent at the time since which it was held. Returns false, and does
    /// nothing, if another process has replaced it already. `estimated`: BigQuery could not be asked. By default, does
    /// nothing.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn recover(&self, lost: &LostShare, nanos: u64, estimated: bool) -> Result<bool, BudgetStoreError> {
        let _ = (lost, nanos, estimated);
        Ok(false)
    }

    /// Returns the limits that were set in the store. They apply instead of those of `OBS_BUDGETS`, and are read before each
    /// reservation. By default, none.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn limits(&self) -> Result<Vec<Budget>, BudgetStoreError> {
        Ok(Vec::new())
    }

    /// Sets the limit of a budget.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached, and by default, as the store keeps no limits.
    fn set_limit(&self, limit: &Budget) -> Result<(), BudgetStoreError> {
        Err(BudgetStoreError(format!("the store keeps no limits: set OBS_BUDGETS=\"{limit}\"")))
    }

    /// Removes the limit that was set for a budget, if there is one.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn remove_limit(&self, budget: &str) -> Result<(), BudgetStoreError> {
        let _ = budget;
        Ok(())
    }

    /// Forgets what was spent of a budget since a point in time, and which alerts there were. What running queries hold stays.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached, and by default, as the store cannot do that.
    fn reset(&self, budget: &str, since: SystemTime) -> Result<(), BudgetStoreError> {
        let _ = since;
        Err(BudgetStoreError(format!("the store cannot forget what was spent of `{budget}`")))
    }

    /// Returns true for the first call with these values, over all processes: the alert that this percentage of the budget is
    /// spent in the period that began at `since`. By default, false: there is no alert.
    ///
    /// # Errors
    /// Returns an error if the store cannot be reached.
    fn alert_once(&self, budget: &str, since: SystemTime, percent: u8) -> Result<bool, BudgetStoreError> {
        let _ = (budget, since, percent);
        Ok(false)
    }
}
