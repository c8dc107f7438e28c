//! A budget store of the program's own. One test, because the store is process-wide.

use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use obs_runtime::bigquery::{
    BudgetShare, BudgetStore, BudgetStoreError, BudgetUse, CostLimit, SqliteBudgets, budget_used, set_budget_store,
};
use obs_runtime::config::{Budget, BudgetPeriod};
use obs_runtime::testing::capture_with;
use obs_runtime::{Config, CostRefused, QueryStatistics, bq_cost, reserve_cost};
use obs_tests::calendar::within_one_month;

const TIB: u64 = 1 << 40;

/// Delegates to the default store and keeps the names of the methods that are called.
#[derive(Debug)]
struct RecordingStore {
    inner: SqliteBudgets,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl RecordingStore {
    fn record(&self, call: &'static str) -> &SqliteBudgets {
        self.calls.lock().unwrap().push(call);
        &self.inner
    }
}

impl BudgetStore for RecordingStore {
    fn hold(&self, share: &BudgetShare, limit: u64, lease: Duration) -> Result<BudgetUse, BudgetStoreError> {
        self.record("hold").hold(share, limit, lease)
    }

    fn renew(&self, share: &BudgetShare, lease: Duration) -> Result<(), BudgetStoreError> {
        self.record("renew").renew(share, lease)
    }

    fn settle(&self, share: &BudgetShare, nanos: u64) -> Result<(), BudgetStoreError> {
        self.record("settle").settle(share, nanos)
    }

    fn used(&self, budget: &str, since: SystemTime) -> Result<BudgetUse, BudgetStoreError> {
        self.record("used").used(budget, since)
    }
}

#[bq_cost(budget = "shared")]
fn spend() -> Result<(), CostRefused> {
    let statistics = QueryStatistics { bytes_billed: Some(TIB), ..QueryStatistics::default() };
    reserve_cost(TIB)?.settle(&statistics);
    Ok(())
}

#[test]
fn budgets_are_kept_in_the_store_of_the_program() {
    within_one_month(|| {
        let folder = tempfile::tempdir().unwrap();
        let calls = Arc::<Mutex<Vec<&'static str>>>::default();
        let inner = SqliteBudgets::new(folder.path().join("other.sqlite3"));
        set_budget_store(Arc::new(RecordingStore { inner, calls: Arc::clone(&calls) }));
        let budget = Budget::new("shared", 1.5, BudgetPeriod::Month);
        let config = Config::default().with(|config| {
            config.budgets = vec![budget];
            config.bigquery_usd_per_tib = 1.0.into();
        });
        let captured = capture_with(config, || (spend(), spend(), budget_used("shared")));
        let (first, second, used) = captured.value;
        assert!(first.is_ok());
        assert!(matches!(second.unwrap_err().limit, CostLimit::Budget { used_usd, .. } if used_usd == 1.0));
        assert_eq!(used, Ok((1.0, 0.0)));
        assert_eq!(*calls.lock().unwrap(), ["hold", "settle", "used", "hold", "used"]);
    });
}
