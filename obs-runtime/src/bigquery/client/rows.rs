//! The rows of a result, one page at a time.

use std::fmt;
use std::marker::PhantomData;
use std::vec;

use futures_util::stream::{self, Stream};
use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::table_field_schema::TableFieldSchema;
use gcp_bigquery_client::model::table_row::TableRow;
use serde::de::DeserializeOwned;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::query_job::QueryJob;
use crate::bigquery::client::row;
use crate::bigquery::client::tracked_client::Client;

/// The rows of a query that has run. At most one page of them is in memory.
///
/// ```no_run
/// # async fn report(client: obs_runtime::bigquery::Client) -> Result<(), obs_runtime::bigquery::BigQueryError> {
/// #[derive(serde::Deserialize)]
/// struct Word {
///     word: String,
///     word_count: u64,
/// }
///
/// let mut rows = client.query("SELECT word, word_count FROM `bigquery-public-data.samples.shakespeare`").rows::<Word>().await?;
/// while let Some(Word { word, word_count }) = rows.next().await? {
///     println!("{word} {word_count}");
/// }
/// # Ok(())
/// # }
/// ```
pub struct Rows<T> {
    client: Client,
    job: QueryJob,
    fields: Vec<TableFieldSchema>,
    page: vec::IntoIter<TableRow>,
    page_size: Option<i32>,
    next_page: Option<String>,
    total: u64,
    given: u64,
    read_as: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Rows<T> {
    pub(super) fn new(client: Client, job: QueryJob, page_size: Option<i32>, first: GetQueryResultsResponse) -> Self {
        let fields = first.schema.and_then(|schema| schema.fields).unwrap_or_default();
        let total = first.total_rows.and_then(|rows| rows.parse().ok()).unwrap_or(0);
        let page = first.rows.unwrap_or_default().into_iter();
        let next_page = first.page_token.filter(|token| !token.is_empty());
        Self { client, job, fields, page, page_size, next_page, total, given: 0, read_as: PhantomData }
    }

    /// The job and its cost.
    pub const fn job(&self) -> &QueryJob {
        &self.job
    }

    /// The number of rows in all pages.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// Returns the next row, or `None` after the last.
    ///
    /// # Errors
    /// Returns an error if the next page cannot be fetched, or if the row does not deserialize into `T`.
    pub async fn next(&mut self) -> Result<Option<T>, BigQueryError> {
        loop {
            if let Some(row) = self.page.next() {
                return self.read(&row).map(Some);
            }
            if !self.turn().await? {
                return Ok(None);
            }
        }
    }

    /// Returns the remaining rows of this page or, if there are none, those of the next page; `None` after the last.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>, BigQueryError> {
        while self.page.len() == 0 {
            if !self.turn().await? {
                return Ok(None);
            }
        }
        let page = std::mem::take(&mut self.page);
        page.map(|row| self.read(&row)).collect::<Result<_, _>>().map(Some)
    }

    /// Reads all remaining rows into memory.
    ///
    /// # Errors
    /// As for [`next`](Self::next).
    pub async fn all(mut self) -> Result<Vec<T>, BigQueryError> {
        let mut rows = Vec::new();
        while let Some(page) = self.next_page().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    /// Converts into a stream, which ends after the first error.
    ///
    /// The trait is that of `futures-core` 0.3. It is exempt from semver: obs may move to another version of that crate, which is
    /// below 1.0, in a minor release.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, BigQueryError>> + Send
    where
        T: Send,
    {
        stream::try_unfold(self, |mut rows| async move { Ok(rows.next().await?.map(|row| (row, rows))) })
    }

    /// Fetches the next page. Returns false if there is none.
    async fn turn(&mut self) -> Result<bool, BigQueryError> {
        let Some(page_token) = self.next_page.take() else { return Ok(false) };
        let parameters = GetQueryResultsParameters {
            location: self.job.location.clone(),
            max_results: self.page_size,
            page_token: Some(page_token.clone()),
            ..GetQueryResultsParameters::default()
        };
        let page = match job_api::results(&self.client, self.client.retry, &self.job.id, &parameters).await {
            Ok(page) => page,
            Err(error) => {
                // The token is kept, so that the caller may retry.
                self.next_page = Some(page_token);
                return Err(error);
            }
        };
        self.page = page.rows.unwrap_or_default().into_iter();
        self.next_page = page.page_token.filter(|token| !token.is_empty());
        Ok(true)
    }

    fn read(&mut self, row: &TableRow) -> Result<T, BigQueryError> {
        let number = self.given;
        self.given += 1;
        row::read(&self.fields, row).map_err(|fault| BigQueryError::Row { row: number, why: fault.to_string() })
    }
}

impl<T> fmt::Debug for Rows<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Rows").field("job", &self.job).field("total", &self.total).finish_non_exhaustive()
    }
}
