//! What queries cost: known before they run, refused when too high, exact after; added up in scopes, priced, alerted on.

#[cfg(feature = "bigquery")]
mod budget;
#[cfg(feature = "bigquery")]
mod client;
pub(crate) mod cost;
#[cfg(feature = "bigquery-estimate")]
pub mod estimate;
mod guard;
#[cfg(feature = "bigquery")]
mod labels;
#[cfg(feature = "bigquery")]
mod literals;
mod price;
mod refused;
mod report;
mod scope;
#[cfg(all(feature = "bigquery", feature = "bigquery-estimate"))]
mod snapshot;
mod statistics;

pub use crate::spending::{Spending, spent};
#[cfg(feature = "bigquery")]
pub(crate) use budget::FILE as BUDGETS;
#[cfg(feature = "bigquery")]
pub use budget::{BudgetShare, BudgetStore, BudgetStoreError, BudgetUse, SqliteBudgets, budget_used, set_budget_store};
#[cfg(feature = "bigquery")]
pub use client::{
    Answer, BigQueryError, Client, ClientBuilder, DryRun, Hint, Load, LoadFormat, Parameter, ParameterType, Query,
    QueryJob, Reason, Retry, Rows, has_credentials,
};
#[cfg(feature = "bigquery")]
pub(crate) use client::{finish_cancellations, is_configured};
/// The crate whose models the client speaks in.
#[cfg(feature = "bigquery")]
pub use gcp_bigquery_client as gcp;
pub use guard::{CostReservation, reserve_cost};
pub use price::{Price, Pricing};
pub use refused::{CostLimit, CostRefused};
pub use report::{track_bigquery_operation, track_cost, track_estimate, track_query_performance};
pub use statistics::{JobStatistics, QueryStatistics};
