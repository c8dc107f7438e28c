//! What operators see and change of budgets.

use serde::Serialize;

use crate::bigquery::budget::resolved::{ResolvedBudget, unavailable};
use crate::bigquery::refused::CostLimit;
use crate::bigquery::scope::usd;
use crate::config::budgets::Budget;

/// A budget in its current period. Amounts are US dollars.
#[derive(Clone, Debug, Serialize)]
pub struct BudgetStatus {
    pub budget: String,
    /// Limit and length of the period, as in `OBS_BUDGETS`: `50USD/day`.
    pub limit: String,
    /// Where the limit comes from: `OBS_BUDGETS` or `budget set`.
    pub source: &'static str,
    /// The current period: `2026-11-26`, `2026-W48`, `2026-11`.
    pub period: String,
    pub limit_usd: f64,
    pub spent_usd: f64,
    /// The part of what is spent that is not known from BigQuery.
    pub estimated_usd: f64,
    pub held_usd: f64,
    pub left_usd: f64,
    /// The jobs of processes that have ended, which the next query with the budget asks BigQuery about.
    pub unsettled_jobs: Vec<UnsettledJob>,
}

/// A job that is not booked yet.
#[derive(Clone, Debug, Serialize)]
pub struct UnsettledJob {
    pub project: String,
    pub location: Option<String>,
    pub job: String,
    pub estimate_usd: f64,
}

impl BudgetStatus {
    /// All budgets, by name.
    pub fn all() -> Result<Vec<Self>, CostLimit> {
        ResolvedBudget::all()?.iter().map(Self::of).collect()
    }

    /// The budget of this name.
    pub fn named(name: &str) -> Result<Self, CostLimit> {
        Self::of(&ResolvedBudget::named(name)?)
    }

    fn of(resolved: &ResolvedBudget) -> Result<Self, CostLimit> {
        let budget = &resolved.budget;
        let fault = |error| unavailable(&budget.name, &error);
        let used = resolved.store.used(&budget.name, resolved.since).map_err(fault)?;
        let lost = resolved.store.lost(&budget.name).map_err(fault)?;
        let unsettled = lost.into_iter().map(|lost| UnsettledJob {
            project: lost.job.project,
            location: lost.job.location,
            job: lost.job.id,
            estimate_usd: usd(lost.nanos),
        });
        Ok(Self {
            budget: budget.name.clone(),
            limit: format!("{}USD/{}", budget.usd, budget.period.as_str()),
            source: if resolved.is_set { "budget set" } else { "OBS_BUDGETS" },
            period: resolved.period.clone(),
            limit_usd: budget.usd,
            spent_usd: usd(used.spent_nanos),
            estimated_usd: usd(used.estimated_nanos),
            held_usd: usd(used.held_nanos),
            left_usd: (budget.usd - usd(used.nanos())).max(0.0),
            unsettled_jobs: unsettled.collect(),
        })
    }

    /// Sets a limit in the store, for all processes.
    pub fn set(budget: &Budget) -> Result<(), CostLimit> {
        let store = ResolvedBudget::store(&budget.name)?;
        store.set_limit(budget).map_err(|error| unavailable(&budget.name, &error))
    }

    /// Removes the limit of the store, so that `OBS_BUDGETS` applies again.
    pub fn unset(name: &str) -> Result<(), CostLimit> {
        let resolved = ResolvedBudget::named(name)?;
        resolved.store.remove_limit(name).map_err(|error| unavailable(name, &error))
    }

    /// Forgets what was spent in the current period.
    pub fn reset(name: &str) -> Result<(), CostLimit> {
        let resolved = ResolvedBudget::named(name)?;
        resolved.store.reset(name, resolved.since).map_err(|error| unavailable(name, &error))
    }
}
