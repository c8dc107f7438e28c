//! The results of a dry run and of a query.

use std::fmt;

use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;

use crate::bigquery::client::hints::{Hint, HintSource};
use crate::bigquery::price::Price;
use crate::bigquery::statistics::QueryStatistics;

/// The result of a dry run.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct DryRun {
    /// Bytes that the query would read.
    pub bytes_processed: u64,
    /// Whether these are the bytes of the query, at most, at least, or neither.
    pub accuracy: Accuracy,
    /// The bytes that would be billed on demand for those, with the minimum charge for each table.
    pub bytes_billed: u64,
    /// The cost in the location of the query. `None` if it is not known before the query has run: in an edition, and for
    /// statements with a price of their own that is not configured, such as `CREATE MODEL`
    /// (`BIGQUERY_STATEMENT_USD_PER_TIB`).
    pub price: Option<Price>,
    /// The referenced tables, as `project.dataset.table`.
    pub tables: Vec<String>,
    /// The type of the statement: `SELECT`, `INSERT`, `SCRIPT`, …
    pub statement_type: Option<String>,
    /// The location of the tables, where the query would run.
    pub location: Option<String>,
}

/// What BigQuery says of the bytes that a dry run reports.
/// <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics2> (`totalBytesProcessedAccuracy`)
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Accuracy {
    /// The query reads these bytes.
    Precise,
    /// The query reads these bytes at most, for example from a clustered table.
    UpperBound,
    /// The query reads these bytes at least, for example if it is a script.
    LowerBound,
    /// BigQuery does not know.
    Unknown,
}

impl Accuracy {
    /// What BigQuery says of a job. `is_open`: whether the job may run more than its dry run shows.
    pub(super) fn of(text: Option<&str>, is_open: bool) -> Self {
        match text {
            _ if is_open => Self::LowerBound,
            Some("PRECISE") => Self::Precise,
            Some("LOWER_BOUND") => Self::LowerBound,
            // Not every server says it.
            Some("UPPER_BOUND") | None => Self::UpperBound,
            Some(_) => Self::Unknown,
        }
    }

    /// Whether the query reads no more bytes than these.
    #[must_use]
    pub const fn is_bound(self) -> bool {
        matches!(self, Self::Precise | Self::UpperBound)
    }
}

/// A query that has run.
#[derive(Clone)]
#[non_exhaustive]
pub struct QueryJob {
    /// The id of the job.
    pub id: String,
    /// The location of the job.
    pub location: Option<String>,
    /// The type of the statement: `SELECT`, `INSERT`, `SCRIPT`, …
    pub statement_type: Option<String>,
    /// BigQuery's statistics. They are [reported](QueryStatistics::reported) already.
    pub statistics: QueryStatistics,
    /// The cost.
    pub price: Price,
    /// The estimate of the dry run, if there was one.
    pub estimate: Option<Price>,
    /// The number of rows that a DML statement inserted, changed or deleted.
    pub affected_rows: Option<u64>,
    pub(super) hints: HintSource,
    pub(super) first_page: Option<GetQueryResultsResponse>,
}

impl QueryJob {
    /// What would have made the query cheaper. Empty for a query that cost less than a cent.
    ///
    /// The first call for a table requests its metadata, for up to 5 seconds; the client keeps the answer, also a failure.
    /// Nothing is requested before this is called.
    ///
    /// ```no_run
    /// # async fn report(client: obs_runtime::bigquery::Client) -> Result<(), obs_runtime::bigquery::BigQueryError> {
    /// let job = client.query("CREATE TABLE growth.copy AS SELECT * FROM growth.sign_ups").run().await?;
    /// for hint in job.hints().await {
    ///     println!("{hint}");
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub async fn hints(&self) -> Vec<Hint> {
        self.hints.all().await
    }
}

impl fmt::Debug for QueryJob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("QueryJob")
            .field("id", &self.id)
            .field("statement_type", &self.statement_type)
            .field("statistics", &self.statistics)
            .field("price", &self.price)
            .finish_non_exhaustive()
    }
}
