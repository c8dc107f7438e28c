//! Budgets: a limit for a day, a week or a month, shared by all processes of a machine.

#[cfg(feature = "bigquery")]
pub(crate) mod budgets;
#[cfg(feature = "bigquery")]
pub(crate) mod sqlite;
#[cfg(feature = "bigquery")]
pub(crate) mod store;
