//! Budgets: spending limits per day, week or month, shared by all processes of a machine.

#[cfg(feature = "bigquery")]
pub(crate) mod alerts;
#[cfg(feature = "bigquery")]
pub(crate) mod budgets;
#[cfg(feature = "bigquery")]
pub(crate) mod deferred;
#[cfg(feature = "bigquery")]
pub(crate) mod lock_deadline;
#[cfg(all(feature = "bigquery", feature = "testing"))]
pub(crate) mod memory;
#[cfg(feature = "bigquery")]
pub(crate) mod owners;
#[cfg(feature = "bigquery")]
pub(crate) mod resolved;
#[cfg(feature = "bigquery")]
pub(crate) mod schema;
#[cfg(feature = "bigquery")]
pub(crate) mod sqlite;
#[cfg(all(feature = "bigquery", feature = "cli"))]
pub(crate) mod status;
#[cfg(feature = "bigquery")]
pub(crate) mod store;
