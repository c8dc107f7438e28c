//! The rows of a result, a page at a time.

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

/// The rows of a query that has run. No more than one page of them is kept.
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

    /// The job, and what it cost.
    pub const fn job(&self) -> &QueryJob {
        &self.job
    }

    /// How many rows there are in all pages.
    pub const fn total(&self) -> u64 {
        self.total
    }

    /// The next row; none after the last.
    ///
    /// # Errors
    /// When the next page cannot be had, or the row is not as `T` wants it.
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

    /// The rows that are left of this page, or all of the next; none after the last.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn next_page(&mut self) -> Result<Option<Vec<T>>, BigQueryError> {
        while self.page.len() == 0 {
            if !self.turn().await? {
                return Ok(None);
            }
        }
        let page = std::mem::take(&mut self.page);
        page.map(|row| self.read(&row)).collect::<Result<_, _>>().map(Some)
    }

    /// All rows that are left, in memory.
    ///
    /// # Errors
    /// As [`next`](Self::next).
    pub async fn all(mut self) -> Result<Vec<T>, BigQueryError> {
        let mut rows = Vec::new();
        while let Some(page) = self.next_page().await? {
            rows.extend(page);
        }
        Ok(rows)
    }

    /// The rows as a stream, which ends with the first error.
    pub fn into_stream(self) -> impl Stream<Item = Result<T, BigQueryError>> + Send
    where
        T: Send,
    {
        stream::try_unfold(self, |mut rows| async move { Ok(rows.next().await?.map(|row| (row, rows))) })
    }

    /// Gets the next page; false when there is none.
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
                // The caller may ask for it once more.
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
