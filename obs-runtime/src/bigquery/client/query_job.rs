//! What is known of a query: before it runs, and after.

use std::fmt;

use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;

use crate::bigquery::client::hints::Hint;
use crate::bigquery::price::Price;
use crate::bigquery::statistics::QueryStatistics;

/// What a query would read and cost.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DryRun {
    /// Bytes that it would read, at most where a table is clustered.
    pub bytes_processed: u64,
    /// What that would cost, with the minimum of each table.
    pub price: Price,
    /// Tables that it names, as `project.dataset.table`.
    pub tables: Vec<String>,
    /// `SELECT`, `INSERT`, `SCRIPT`, …
    pub statement_type: Option<String>,
    /// Where it would run: where its tables are.
    pub location: Option<String>,
}

/// A query that has run.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueryJob {
    /// The job's id.
    pub id: String,
    /// Where it ran.
    pub location: Option<String>,
    /// `SELECT`, `INSERT`, `SCRIPT`, …
    pub statement_type: Option<String>,
    /// What BigQuery says of it. It is [reported](QueryStatistics::reported) already.
    pub statistics: QueryStatistics,
    /// What it cost.
    pub price: Price,
    /// What it was expected to cost, when it was asked for.
    pub estimate: Option<Price>,
    /// Rows that a statement inserted, changed or deleted.
    pub affected_rows: Option<u64>,
    /// What would have made it cheaper.
    pub hints: Vec<Hint>,
    pub(super) first_page: Option<GetQueryResultsResponse>,
}

impl fmt::Debug for QueryJob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("QueryJob")
            .field("id", &self.id)
            .field("statement_type", &self.statement_type)
            .field("statistics", &self.statistics)
            .field("price", &self.price)
            .field("hints", &self.hints)
            .finish_non_exhaustive()
    }
}
