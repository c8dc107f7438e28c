//! Budgets by name: their limits, their current periods, and the store that they are kept in.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::base::clock;
#[cfg(feature = "testing")]
use crate::bigquery::budget::memory::MemoryBudgets;
use crate::bigquery::budget::sqlite::SqliteBudgets;
use crate::bigquery::budget::store::{BudgetJob, BudgetShare, BudgetStore, BudgetStoreError};
use crate::bigquery::refused::CostLimit;
use crate::config::budgets::{Budget, BudgetPeriod};
use crate::config::validated::Config;
#[cfg(feature = "testing")]
use crate::context::current::Context;
use crate::pipeline::global;

/// The name of the file in the state folder.
pub const FILE: &str = "budgets.sqlite3";

/// The open stores by file, and the store that the program has set.
static STORES: Mutex<Stores> = Mutex::new(Stores { files: None, own: None });

struct Stores {
    files: Option<HashMap<PathBuf, Arc<SqliteBudgets>>>,
    own: Option<Arc<dyn BudgetStore>>,
}

/// Keeps the budgets of this program in the given store, instead of a file in `OBS_STATE_DIR`.
pub fn set_budget_store(store: Arc<dyn BudgetStore>) {
    STORES.lock().unwrap_or_else(PoisonError::into_inner).own = Some(store);
}

/// Whether the budgets are in a local file. Another store may take a request to another machine.
pub fn is_local() -> bool {
    STORES.lock().unwrap_or_else(PoisonError::into_inner).own.is_none()
}

type Limits = Result<Vec<Budget>, BudgetStoreError>;

/// A budget in its current period. Its limit is read again each time: that of the store, or else that of `OBS_BUDGETS`.
#[derive(Debug)]
pub struct ResolvedBudget {
    pub budget: Budget,
    /// Whether the limit is that of the store.
    #[cfg_attr(not(feature = "cli"), expect(dead_code, reason = "shown by the commands of operators"))]
    pub is_set: bool,
    pub period: String,
    pub since: SystemTime,
    /// When the next period begins.
    pub until: SystemTime,
    pub store: Arc<dyn BudgetStore>,
}

impl ResolvedBudget {
    /// The budget of this name.
    pub fn named(name: &str) -> Result<Self, CostLimit> {
        Self::first(name, |store| store.limits())
    }

    /// The budget of this name, if `OBS_BUDGETS` has it: for a store whose limits cannot be read now.
    pub fn of_config(name: &str) -> Result<Self, CostLimit> {
        Self::first(name, |_| Ok(Vec::new()))
    }

    fn first(name: &str, limits: impl Fn(&dyn BudgetStore) -> Limits) -> Result<Self, CostLimit> {
        let all = Self::matching(name, |budget| budget.name == name, limits)?;
        all.into_iter().next().ok_or_else(|| CostLimit::UnknownBudget { name: name.to_owned() })
    }

    /// All budgets, by name.
    #[cfg(feature = "cli")]
    pub fn all() -> Result<Vec<Self>, CostLimit> {
        Self::matching("", |_| true, |store| store.limits())
    }

    fn matching(
        name: &str,
        matches: impl Fn(&Budget) -> bool,
        limits: impl Fn(&dyn BudgetStore) -> Limits,
    ) -> Result<Vec<Self>, CostLimit> {
        let unknown = || CostLimit::UnknownBudget { name: name.to_owned() };
        let pipeline = global::pipeline().ok_or_else(unknown)?;
        let config = pipeline.config();
        let store = store_for(name, config);
        let configured = config.budgets.iter().filter(|budget| matches(budget));
        let store = match store {
            Ok(store) => store,
            Err(_) if configured.clone().next().is_none() => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut limits = limits(&*store).map_err(|error| unavailable(name, &error))?;
        limits.retain(|budget| matches(budget));
        let set = limits.len();
        let of_config = configured.filter(|budget| !limits.iter().any(|limit| limit.name == budget.name));
        let of_config: Vec<Budget> = of_config.cloned().collect();
        limits.extend(of_config);
        let zone = TimeZone::get(&config.budget_timezone).map_err(|error| unavailable(name, &error))?;
        let now = Timestamp::try_from(clock::wall()).map_err(|error| unavailable(name, &error))?;
        let resolve = |(at, budget): (usize, Budget)| {
            let since = since(budget.period, now, &zone).map_err(|error| unavailable(name, &error))?;
            let since = SystemTime::try_from(since).map_err(|error| unavailable(name, &error))?;
            let until = until(budget.period, now, &zone).and_then(SystemTime::try_from);
            let until = until.map_err(|error| unavailable(name, &error))?;
            let period = period(budget.period, now, &zone);
            Ok(Self { budget, is_set: at < set, period, since, until, store: Arc::clone(&store) })
        };
        let mut resolved = limits.into_iter().enumerate().map(resolve).collect::<Result<Vec<_>, CostLimit>>()?;
        resolved.sort_by(|left, right| left.budget.name.cmp(&right.budget.name));
        Ok(resolved)
    }

    /// The store that a budget is kept in.
    #[cfg(feature = "cli")]
    pub fn store(name: &str) -> Result<Arc<dyn BudgetStore>, CostLimit> {
        let unknown = || CostLimit::UnknownBudget { name: name.to_owned() };
        store_for(name, global::pipeline().ok_or_else(unknown)?.config())
    }

    /// A new share of the budget.
    pub fn share(&self, nanos: u64, job: Option<BudgetJob>) -> BudgetShare {
        let id = uuid::Uuid::now_v7().to_string();
        let (budget, period) = (self.budget.name.clone(), self.period.clone());
        BudgetShare { id, budget, period, since: self.since, nanos, job }
    }
}

/// The error of a store.
pub fn unavailable(name: &str, error: &dyn std::error::Error) -> CostLimit {
    CostLimit::BudgetUnavailable { name: name.to_owned(), why: error.to_string() }
}

fn store_for(name: &str, config: &Config) -> Result<Arc<dyn BudgetStore>, CostLimit> {
    store(config).ok_or_else(|| {
        let why = "there is no folder for state: set OBS_STATE_DIR".to_owned();
        CostLimit::BudgetUnavailable { name: name.to_owned(), why }
    })
}

/// The store of this program, if there is a folder for it.
fn store(config: &Config) -> Option<Arc<dyn BudgetStore>> {
    let mut stores = STORES.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(own) = &stores.own {
        return Some(Arc::clone(own));
    }
    #[cfg(feature = "testing")]
    if let Some(budgets) = Context::current().extension::<MemoryBudgets>() {
        return Some(budgets);
    }
    let file = config.state_folder()?.join(FILE);
    let files = stores.files.get_or_insert_default();
    let store = files.entry(file.clone()).or_insert_with(|| Arc::new(SqliteBudgets::new(file)));
    Some(Arc::clone(store) as Arc<dyn BudgetStore>)
}

/// When the period that a point in time lies in began.
pub fn since(period: BudgetPeriod, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let date = now.to_zoned_datetime(zone.clone()).date();
    let first = match period {
        BudgetPeriod::Day => date,
        BudgetPeriod::Week => date.checked_sub(i64::from(date.weekday().to_monday_zero_offset()).days())?,
        BudgetPeriod::Month => date.first_of_month(),
    };
    Ok(first.to_zoned_datetime(zone.clone())?.timestamp())
}

/// When the period after the one that a point in time lies in begins.
pub fn until(period: BudgetPeriod, now: Timestamp, zone: &TimeZone) -> Result<Timestamp, jiff::Error> {
    let first = since(period, now, zone)?.to_zoned_datetime(zone.clone()).date();
    let next = match period {
        BudgetPeriod::Day => first.checked_add(1.day())?,
        BudgetPeriod::Week => first.checked_add(7.days())?,
        BudgetPeriod::Month => first.checked_add(1.month())?,
    };
    Ok(next.to_zoned_datetime(zone.clone())?.timestamp())
}

/// The name of the period that contains a timestamp.
pub fn period(period: BudgetPeriod, now: Timestamp, zone: &TimeZone) -> String {
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
