//! What queries cost: reported by hand or found in a return value, added up in scopes, priced, and alerted on.

pub(crate) mod cost;
mod price;
mod report;
mod scope;
mod statistics;

pub use price::{Price, Pricing};
pub use report::{track_bigquery_operation, track_cost, track_estimate, track_query_performance};
pub use statistics::{JobStatistics, QueryStatistics};
