//! The cost of queries: estimated before they run, limited, and recorded afterwards, in scopes and with alerts.

#[cfg(feature = "bigquery")]
pub(crate) mod budget;
#[cfg(feature = "bigquery")]
pub(crate) mod client;
pub(crate) mod cost;
#[cfg(feature = "bigquery-estimate")]
pub mod estimate;
pub(crate) mod guard;
#[cfg(feature = "bigquery")]
pub(crate) mod labels;
#[cfg(feature = "bigquery")]
pub(crate) mod literals;
pub(crate) mod price;
pub(crate) mod refused;
pub(crate) mod report;
pub(crate) mod scope;
#[cfg(all(feature = "bigquery", feature = "bigquery-estimate"))]
pub(crate) mod snapshot;
pub(crate) mod statistics;

pub use crate::instrument::spending::{Spending, spent};
#[cfg(feature = "bigquery")]
pub use budget::budgets::budget_used;
#[cfg(feature = "bigquery")]
pub use budget::resolved::set_budget_store;
#[cfg(feature = "bigquery")]
pub use budget::sqlite::SqliteBudgets;
#[cfg(feature = "bigquery")]
pub use budget::store::{BudgetJob, BudgetShare, BudgetStore, BudgetStoreError, BudgetUse, LostShare};
#[cfg(feature = "bigquery")]
pub use client::builder::ClientBuilder;
#[cfg(feature = "bigquery")]
pub use client::environment::has_credentials;
#[cfg(feature = "bigquery")]
pub use client::error::{Answer, BigQueryError};
#[cfg(feature = "bigquery")]
pub use client::hints::Hint;
#[cfg(feature = "bigquery")]
pub use client::load::{Load, LoadFormat};
#[cfg(feature = "bigquery")]
pub use client::parameter::{Parameter, ParameterType};
#[cfg(feature = "bigquery")]
pub use client::query::Query;
#[cfg(feature = "bigquery")]
pub use client::query_job::{Accuracy, DryRun, QueryJob};
#[cfg(feature = "bigquery")]
pub use client::reason::Reason;
#[cfg(feature = "bigquery")]
pub use client::retry::Retry;
#[cfg(feature = "bigquery")]
pub use client::rows::Rows;
#[cfg(feature = "bigquery")]
pub use client::tracked_client::Client;
/// The crate whose models the client uses. It is exempt from semver: obs may move to another version of it, which is below
/// 1.0, in a minor release.
#[cfg(feature = "bigquery")]
pub use gcp_bigquery_client as gcp;
pub use guard::{CostReservation, reserve_cost};
pub use price::{Price, Pricing};
pub use refused::{CostLimit, CostRefused};
pub use report::{track_bigquery_operation, track_cost, track_estimate, track_query_performance};
pub use statistics::{JobStatistics, QueryStatistics};
