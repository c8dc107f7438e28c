//! Budgets: spending limits per day, week or month, shared by all processes.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use crate::bigquery::budget::alerts::alert;
use crate::bigquery::budget::lock_deadline::LockDeadline;
use crate::bigquery::budget::owners::Live;
use crate::bigquery::budget::resolved::{ResolvedBudget, is_local, unavailable};
use crate::bigquery::budget::store::{BudgetJob, BudgetShare, BudgetStore, BudgetStoreError, LostShare};
use crate::bigquery::refused::CostLimit;
use crate::bigquery::scope::{nanos, usd};
use crate::pipeline::global;

/// The lease on an amount held by [`reserve_cost`](crate::reserve_cost), which is not renewed: as long as a query can
/// run.
pub const MANUAL_LEASE: Duration = Duration::from_hours(6);

/// How long the answer to a scrape waits for a locked file; it has no figure of the budget then.
const SCRAPE_WAIT: Duration = Duration::from_millis(100);

/// Returns what is spent and what is held in the current period of a budget, in US dollars.
///
/// # Errors
/// [`CostLimit::UnknownBudget`] or [`CostLimit::BudgetUnavailable`].
pub fn budget_used(name: &str) -> Result<(f64, f64), CostLimit> {
    let _deadline = LockDeadline::begin();
    let resolved = ResolvedBudget::named(name)?;
    let used = resolved.store.used(name, resolved.since).map_err(|error| unavailable(name, &error))?;
    Ok((usd(used.spent_nanos), usd(used.held_nanos)))
}

/// The limit of a budget in a local file, what is spent and what is held, in US dollars, and when its period ends; `None` for other
/// budgets.
pub fn local_budget_used(name: &str) -> Option<(f64, f64, f64, SystemTime)> {
    let _deadline = LockDeadline::within(SCRAPE_WAIT);
    let resolved = is_local().then(|| ResolvedBudget::named(name).ok())??;
    let used = resolved.store.used(name, resolved.since).ok()?;
    Some((resolved.budget.usd, usd(used.spent_nanos), usd(used.held_nanos), resolved.until))
}

/// How long a renewal waits for a locked file: the next poll repeats it.
const RENEW_WAIT: Duration = Duration::from_millis(100);

/// An amount held in a budget for a query.
#[derive(Clone, Debug)]
pub struct BudgetHold {
    share: BudgetShare,
    left_usd: f64,
    store: Arc<dyn BudgetStore>,
    _live: Live,
}

impl BudgetHold {
    /// Holds an amount in a budget, or returns the limit that it would exceed.
    pub fn reserve(name: &str, usd_asked: f64, lease: Duration, job: Option<BudgetJob>) -> Result<Self, CostLimit> {
        let _deadline = LockDeadline::begin();
        let resolved = ResolvedBudget::named(name)?;
        let (share, limit) = (resolved.share(nanos(usd_asked), job), nanos(resolved.budget.usd));
        let live = Live::new(&share.id);
        let used = resolved.store.hold(&share, limit, lease).map_err(|error| unavailable(name, &error))?;
        if used.nanos().saturating_add(share.nanos) > limit {
            return Err(CostLimit::Budget {
                name: name.to_owned(),
                limit_usd: resolved.budget.usd,
                used_usd: usd(used.nanos()),
                period: share.period.into(),
            });
        }
        let left_usd = usd(limit.saturating_sub(used.nanos()));
        Ok(Self { share, left_usd, store: resolved.store, _live: live })
    }

    /// What was left of the budget when this amount was held, with the amount itself, in US dollars.
    pub const fn left_usd(&self) -> f64 {
        self.left_usd
    }

    /// The name of the budget.
    pub fn name(&self) -> &str {
        &self.share.budget
    }

    /// Extends the lease to `lease` from now.
    pub fn renew(&self, lease: Duration) {
        let _deadline = LockDeadline::within(RENEW_WAIT);
        // A failed renewal is repeated at the next poll.
        if let Err(error) = self.store.renew(&self.share, lease) {
            warn_once(&error);
        }
    }

    /// Counts the amount held as spent until BigQuery says what its job cost: see [`LostHold`].
    pub fn abandon(self) {
        if let Err(error) = self.store.abandon(&self.share) {
            warn_once(&error);
        }
    }

    /// Replaces the amount held by the amount spent.
    pub fn settle(self, usd_spent: f64) {
        let _deadline = LockDeadline::begin();
        if let Err(error) = self.store.settle(&self.share, nanos(usd_spent)) {
            global::warn_with_help(
                "budget-unavailable",
                format!("${usd_spent:.6} could not be booked on the budget `{}`: {error}", self.share.budget),
            );
        }
        alert(&self.share.budget);
    }
}

/// How long lost amounts are looked for in a locked file.
const FIND_WAIT: Duration = Duration::from_millis(100);

/// How long booking one waits for a locked file.
const BOOK_WAIT: Duration = Duration::from_secs(1);

/// A held amount of a budget that no process will settle, and the store to book it in.
#[derive(Clone, Debug)]
pub struct LostHold {
    pub share: LostShare,
    store: Arc<dyn BudgetStore>,
}

impl LostHold {
    /// The lost amounts of these budgets that are held for jobs. None if a store cannot be read: the reservation that follows
    /// says so.
    pub fn all(names: &[&str]) -> Vec<Self> {
        // The next query finds them.
        let _deadline = LockDeadline::within(FIND_WAIT);
        let of_budget = |name: &&str| {
            let resolved = ResolvedBudget::named(name).ok()?;
            let lost = resolved.store.lost(name).ok()?;
            Some(lost.into_iter().map(move |share| Self { share, store: Arc::clone(&resolved.store) }))
        };
        names.iter().filter_map(of_budget).flatten().collect()
    }

    /// Books what the job cost. `why`: BigQuery could not be asked, and this is the estimate.
    pub fn book(self, usd_spent: f64, why: Option<&str>) {
        let _deadline = LockDeadline::within(BOOK_WAIT);
        let LostShare { job, budget, nanos: held, .. } = &self.share;
        let recovered = self.store.recover(&self.share, nanos(usd_spent), why.is_some());
        let text = match (recovered, why) {
            (Ok(false), _) => return,
            (Ok(true), None) => format!(
                "BigQuery job {} of the budget `{budget}`, whose process has ended, cost ${usd_spent:.6} of the ${:.6} held for it",
                job.id,
                usd(*held)
            ),
            (Ok(true), Some(why)) => format!(
                "BigQuery did not say what job {} of the budget `{budget}`, whose process has ended, cost ({why}): its estimate of ${usd_spent:.6} counts as spent",
                job.id
            ),
            (Err(error), _) => format!(
                "${usd_spent:.6} of BigQuery job {} could not be booked on the budget `{budget}`, and stay held until the next query: {error}",
                job.id
            ),
        };
        global::warn(text);
        alert(budget);
    }
}

/// Books an amount that was not held on each of these budgets, once per budget.
pub fn spend<'a>(names: impl Iterator<Item = &'a str>, usd_spent: f64) {
    let _deadline = LockDeadline::begin();
    let names: HashSet<&str> = names.collect();
    for name in names {
        let resolved = ResolvedBudget::named(name).or_else(|error| ResolvedBudget::of_config(name).map_err(|_| error));
        let settled = resolved.and_then(|resolved| {
            let settled = resolved.store.settle(&resolved.share(0, None), nanos(usd_spent));
            settled.map_err(|error| unavailable(name, &error))
        });
        if let Err(limit) = settled {
            global::warn_with_help("budget-unavailable", format!("${usd_spent:.6} were spent {limit}"));
        }
        alert(name);
    }
}

fn warn_once(error: &BudgetStoreError) {
    static WARNED: std::sync::Once = std::sync::Once::new();
    WARNED.call_once(|| {
        global::warn_with_help("budget-unavailable", format!("what is held of a budget could not be renewed: {error}"));
    });
}

#[cfg(test)]
mod tests;
