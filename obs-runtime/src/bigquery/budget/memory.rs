//! Budgets of a test, in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use crate::base::clock;
use crate::bigquery::budget::store::{BudgetShare, BudgetStore, BudgetStoreError, BudgetUse};
use crate::config::budgets::Budget;

/// The budgets of one test.
#[derive(Debug, Default)]
pub struct MemoryBudgets(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    spent: Vec<Entry>,
    /// By the id of the share.
    held: BTreeMap<String, BudgetShare>,
    /// By name.
    limits: BTreeMap<String, Budget>,
    alerts: BTreeSet<(String, SystemTime, u8)>,
}

#[derive(Debug)]
struct Entry {
    budget: String,
    at: SystemTime,
    nanos: u64,
}

impl State {
    fn used(&self, budget: &str, since: SystemTime) -> BudgetUse {
        let spent = self.spent.iter().filter(|entry| entry.budget == budget && entry.at >= since);
        let held = self.held.values().filter(|share| share.budget == budget && share.since >= since);
        BudgetUse {
            spent_nanos: spent.fold(0, |sum, entry| sum.saturating_add(entry.nanos)),
            estimated_nanos: 0,
            held_nanos: held.fold(0, |sum, share| sum.saturating_add(share.nanos)),
        }
    }
}

impl MemoryBudgets {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl BudgetStore for MemoryBudgets {
    fn hold(&self, share: &BudgetShare, limit_nanos: u64, _: Duration) -> Result<BudgetUse, BudgetStoreError> {
        let mut state = self.state();
        let used = state.used(&share.budget, share.since);
        if used.nanos().saturating_add(share.nanos) <= limit_nanos {
            state.held.insert(share.id.clone(), share.clone());
        }
        Ok(used)
    }

    fn renew(&self, _: &BudgetShare, _: Duration) -> Result<(), BudgetStoreError> {
        Ok(())
    }

    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError> {
        let mut state = self.state();
        state.held.remove(&share.id);
        state.spent.push(Entry { budget: share.budget.clone(), at: clock::wall(), nanos });
        Ok(())
    }

    fn used(&self, budget: &str, since: SystemTime) -> Result<BudgetUse, BudgetStoreError> {
        Ok(self.state().used(budget, since))
    }

    fn abandon(&self, share: &BudgetShare) -> Result<(), BudgetStoreError> {
        self.settle(share, share.nanos)
    }

    fn limits(&self) -> Result<Vec<Budget>, BudgetStoreError> {
        Ok(self.state().limits.values().cloned().collect())
    }

    fn set_limit(&self, limit: &Budget) -> Result<(), BudgetStoreError> {
        self.state().limits.insert(limit.name.clone(), limit.clone());
        Ok(())
    }

    fn remove_limit(&self, budget: &str) -> Result<(), BudgetStoreError> {
        self.state().limits.remove(budget);
        Ok(())
    }

    fn reset(&self, budget: &str, since: SystemTime) -> Result<(), BudgetStoreError> {
        let mut state = self.state();
        state.spent.retain(|entry| entry.budget != budget || entry.at < since);
        state.alerts.retain(|(name, at, _)| name != budget || *at < since);
        Ok(())
    }

    fn alert_once(&self, budget: &str, since: SystemTime, percent: u8) -> Result<bool, BudgetStoreError> {
        Ok(self.state().alerts.insert((budget.to_owned(), since, percent)))
    }
}
