//! Where budgets are kept.

use std::fmt;
use std::time::Duration;

/// A share of a budget that a query asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct BudgetShare {
    /// Its own id, of no other share.
    pub id: String,
    /// The budget's name.
    pub budget: String,
    /// The period of time: `2026-11-26`, `2026-W48`, `2026-11`.
    pub period: String,
    /// Billionths of a US dollar.
    pub nanos: u64,
}

/// What of a budget is used in a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BudgetUse {
    /// Spent, in billionths of a US dollar.
    pub spent_nanos: u64,
    /// Held by queries that have not ended, in billionths of a US dollar.
    pub held_nanos: u64,
}

impl BudgetUse {
    /// Both together.
    #[must_use]
    pub const fn nanos(self) -> u64 {
        self.spent_nanos.saturating_add(self.held_nanos)
    }
}

/// Why a store could not be read or written.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BudgetStoreError(pub String);

/// Where what is spent and held of budgets is kept, for all who share it: a file for the processes of one machine, or
/// something that a whole fleet can reach.
///
/// Every function is one transaction: what it did is there for all others when it returns, also after a crash.
pub trait BudgetStore: fmt::Debug + Send + Sync {
    /// Holds a share until it is settled or its lease ends, unless more than `limit_nanos` would be used then. Gives what
    /// was used before it; it is held if that and the share are within the limit.
    ///
    /// # Errors
    /// When the store cannot be reached: the query is refused then.
    fn hold(&self, share: &BudgetShare, limit_nanos: u64, lease: Duration) -> Result<BudgetUse, BudgetStoreError>;

    /// Makes the lease of a share that is held end later: so long from now.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError>;

    /// Spends `nanos` in place of what was held, also when its lease has ended. Of a share that was never held it is just
    /// spent.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError>;

    /// What is used of a budget in a period.
    ///
    /// # Errors
    /// When the store cannot be reached.
    fn used(&self, budget: &str, period: &str) -> Result<BudgetUse, BudgetStoreError>;
}
