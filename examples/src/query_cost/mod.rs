//! What `bq-query-cost` reports: the cost of queries by a dry run, from a catalogue, or by both.

mod estimator;
mod priced_query;
mod report;

pub use estimator::{Assumptions, Estimator};
pub use priced_query::{PricedQuery, Source};
pub use report::Report;
