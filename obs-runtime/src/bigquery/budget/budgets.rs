//! Budgets: what may be spent in a day, a week or a month, by all processes together.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::bigquery::budget::sqlite::SqliteBudgets;
use crate::bigquery::budget::store::BudgetShare;
use crate::bigquery::budget::store::BudgetStore;
use crate::bigquery::budget::store::BudgetStoreError;
use crate::bigquery::refused::CostLimit;
use crate::bigquery::scope::{nanos, usd};
use crate::config::budgets::{Budget, BudgetPeriod};
use crate::config::validated::Config;
use crate::pipeline::global;

/// How long a share is held without renewal: as long as a query can run.
pub const LEASE_BY_HAND: Duration = Duration::from_hours(6);

/// The file in the state folder.
pub const FILE: &str = "budgets.sqlite3";

/// The stores by file, and the one that a program has put in their place.
static STORES: Mutex<Stores> = Mutex::new(Stores { files: None, own: None });

struct Stores {
    files: Option<HashMap<PathBuf, Arc<SqliteBudgets>>>,
    own: Option<Arc<dyn BudgetStore>>,
}

/// Keeps the budgets of this program in a store of its own, in place of a file in `OBS_STATE_DIR`.
pub fn set_budget_store(store: Arc<dyn BudgetStore>) {
    STORES.lock().unwrap_or_else(PoisonError::into_inner).own = Some(store);
}

/// What is used of a budget in the period that is now, in US dollars: spent, and held by queries that have not ended.
///
/// # Errors
/// [`CostLimit::UnknownBudget`] or [`CostLimit::BudgetUnavailable`].
pub fn budget_used(name: &str) -> Result<(f64, f64), CostLimit> {
    let known = Known::named(name)?;
    let used = known.store.used(name, &known.period).map_err(|error| unavailable(name, &error))?;
    Ok((usd(used.spent_nanos), usd(used.held_nanos)))
}

/// A budget that is defined, in the period that is now.
struct Known {
    budget: Budget,
    period: String,
    store: Arc<dyn BudgetStore>,
}

impl Known {
    fn named(name: &str) -> Result<Self, CostLimit> {
        let unknown = || CostLimit::UnknownBudget { name: name.to_owned() };
        let pipeline = global::pipeline().ok_or_else(unknown)?;
        let config = pipeline.config();
        let budget = config.budgets.iter().find(|budget| budget.name == name).ok_or_else(unknown)?.clone();
        let zone = TimeZone::get(&config.budget_timezone).map_err(|error| unavailable(name, &error))?;
        let period = period(budget.period, Timestamp::now(), &zone);
        let store = store(config).ok_or_else(|| {
            let why = "there is no folder for state: set OBS_STATE_DIR".to_owned();
            CostLimit::BudgetUnavailable { name: name.to_owned(), why }
        })?;
        Ok(Self { budget, period, store })
    }

    fn share(&self, nanos: u64) -> BudgetShare {
        let id = uuid::Uuid::now_v7().to_string();
        BudgetShare { id, budget: self.budget.name.clone(), period: self.period.clone(), nanos }
    }
}

/// A share of a budget that is held for a query.
#[derive(Clone, Debug)]
pub struct Held {
    share: BudgetShare,
    store: Arc<dyn BudgetStore>,
}

impl Held {
    /// Holds so much of a budget, or says why not.
    pub fn reserve(name: &str, usd_asked: f64, lease: Duration) -> Result<Self, CostLimit> {
        let known = Known::named(name)?;
        let (share, limit) = (known.share(nanos(usd_asked)), nanos(known.budget.usd));
        let used = known.store.hold(&share, limit, lease).map_err(|error| unavailable(name, &error))?;
        if used.nanos().saturating_add(share.nanos) > limit {
            return Err(CostLimit::Budget {
                name: name.to_owned(),
                limit_usd: known.budget.usd,
                used_usd: usd(used.nanos()),
                period: share.period.into(),
            });
        }
        Ok(Self { share, store: known.store })
    }

    /// The budget's name.
    pub fn name(&self) -> &str {
        &self.share.budget
    }

    /// Holds it for so long from now.
    pub fn renew(&self, lease: Duration) {
        // A lease that could not be renewed may be the next time.
        if let Err(error) = self.store.renew(&self.share, lease) {
            warn_once(&error);
        }
    }

    /// Spends so much in place of what was held.
    pub fn settle(self, usd_spent: f64) {
        if let Err(error) = self.store.settle(&self.share, nanos(usd_spent)) {
            global::warn(format!("${usd_spent:.6} could not be booked on the budget `{}`: {error}", self.share.budget));
        }
    }
}

/// Spends what was never held, on each of these budgets once.
pub fn spend<'a>(names: impl Iterator<Item = &'a str>, usd_spent: f64) {
    let names: HashSet<&str> = names.collect();
    for name in names {
        let settled = Known::named(name).and_then(|known| {
            let settled = known.store.settle(&known.share(0), nanos(usd_spent));
            settled.map_err(|error| unavailable(name, &error))
        });
        if let Err(limit) = settled {
            global::warn(format!("${usd_spent:.6} were spent {limit}"));
        }
    }
}

fn warn_once(error: &BudgetStoreError) {
    static WARNED: std::sync::Once = std::sync::Once::new();
    WARNED.call_once(|| global::warn(format!("what is held of a budget could not be renewed: {error}")));
}

fn unavailable(name: &str, error: &dyn std::error::Error) -> CostLimit {
    CostLimit::BudgetUnavailable { name: name.to_owned(), why: error.to_string() }
}

fn store(config: &Config) -> Option<Arc<dyn BudgetStore>> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = &stores.own {
        return Some(Arc::clone(own));
    }
    let file = config.state_folder()?.join(FILE);
    let files = stores.files.get_or_insert_default();
    let store = files.entry(file.clone()).or_insert_with(|| Arc::new(SqliteBudgets::new(file)));
    Some(Arc::clone(store) as Arc<dyn BudgetStore>)
}

/// The name of the period of a moment.
fn period(period: BudgetPeriod, now: Timestamp, zone: &TimeZone) -> String {
    let date = now.to_zoned_datetime(zone.clone()).date();
    match period {
        BudgetPeriod::Day => date.to_string(),
        BudgetPeriod::Week => {
            let week = date.iso_week_date();
            format!("{:04}-W{:02}", week.year(), week.week())
        }
        BudgetPeriod::Month => format!("{:04}-{:02}", date.year(), date.month()),
    }
}

#[cfg(test)]
mod tests;
