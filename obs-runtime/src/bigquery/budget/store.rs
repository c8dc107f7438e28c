//! The interface of budget stores.

use std::fmt;
use std::time::{Duration, SystemTime};

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
}

/// The used amounts of a budget in one period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// Spent, in billionths of a US dollar; also the amounts whose leases ended before they were settled.
    pub spent_nanos: u64,
    /// Held by queries that have not ended, in billionths of a US dollar.
    pub held_nanos: u64,
}

impl BudgetUse {
    /// The sum of both.
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
    /// before. The amount is held if the sum of both is within the limit. Once its lease has ended it counts as spent: its
    /// process was killed, and its query may have run.
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
}
