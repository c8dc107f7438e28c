//! A query that is about to run.

use std::panic::Location;
use std::time::Duration;

use gcp_bigquery_client::model::dataset_reference::DatasetReference;
use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;
use serde::de::DeserializeOwned;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job::{DryRun, QueryJob};
use crate::bigquery::client::parameter::Parameter;
use crate::bigquery::client::retry::request;
use crate::bigquery::client::rows::Rows;
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::literals::Values;

/// A query, statement or script that is about to run. It runs by [`run`](Self::run) or [`rows`](Self::rows).
#[derive(Clone, Debug)]
#[must_use = "a query runs by `run` or `rows`"]
pub struct Query {
    pub(super) client: Client,
    pub(super) sql: String,
    pub(super) parameters: Vec<(Option<String>, Parameter)>,
    pub(super) labels: Vec<(String, String)>,
    pub(super) max_bytes: Option<u64>,
    pub(super) timeout: Option<Duration>,
    pub(super) page_size: Option<i32>,
    pub(super) default_dataset: Option<String>,
    pub(super) location: Option<String>,
    pub(super) is_cached: bool,
    pub(super) is_batch: bool,
    pub(super) place: &'static Location<'static>,
}

impl Query {
    pub(super) fn new(client: Client, sql: String, place: &'static Location<'static>) -> Self {
        Self {
            location: client.location.clone(),
            client,
            sql,
            parameters: Vec::new(),
            labels: Vec::new(),
            max_bytes: None,
            timeout: None,
            page_size: None,
            default_dataset: None,
            is_cached: true,
            is_batch: false,
            place,
        }
    }

    /// The value of `@name`.
    pub fn bind(mut self, name: impl Into<String>, value: impl Into<Parameter>) -> Self {
        self.parameters.push((Some(name.into().trim_start_matches('@').to_owned()), value.into()));
        self
    }

    /// The value of the next `?`.
    pub fn bind_next(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push((None, value.into()));
        self
    }

    /// A label of the job, made to BigQuery's rules.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// The most bytes that may be billed for it; over it, it is refused.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// How long it may take; then its job is told to stop. Without it, as long as BigQuery lets it.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The most rows of a page; as many as BigQuery sends at once (10 MB), when it is not said.
    pub fn page_size(mut self, rows: u32) -> Self {
        self.page_size = Some(i32::try_from(rows.max(1)).unwrap_or(i32::MAX));
        self
    }

    /// The data set of tables that are named without one: `dataset`, or with a project before it.
    pub fn default_dataset(mut self, name: impl Into<String>) -> Self {
        self.default_dataset = Some(name.into());
        self
    }

    /// Where the job runs, in place of the client's location.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Runs it anew although its result may be in the cache.
    pub const fn without_cache(mut self) -> Self {
        self.is_cached = false;
        self
    }

    /// Lets it wait until there are idle slots.
    pub const fn batch(mut self) -> Self {
        self.is_batch = true;
        self
    }

    /// What it would read and cost. Nothing runs, nothing is billed or reported.
    ///
    /// # Errors
    /// When it is no valid query, or BigQuery cannot be asked.
    pub async fn dry_run(&self) -> Result<DryRun, BigQueryError> {
        DryRun::of(self).await.map_err(|error| error.without(self.values()))
    }

    /// Runs it to its end, and leaves what rows it has where they are.
    ///
    /// # Errors
    /// [`BigQueryError::Refused`] when it would cost too much; what BigQuery says of it; when BigQuery cannot be reached.
    pub async fn run(self) -> Result<QueryJob, BigQueryError> {
        // The caller's future is not to bear the size of ours.
        Box::pin(QueryJob::run(&self)).await.map_err(|error| error.without(self.values()))
    }

    /// Runs it to its end, and gives its rows: as structs by the names of columns, as tuples by their order, as plain values
    /// where there is one column.
    ///
    /// Numbers are read from `INT64`, `FLOAT64` and `NUMERIC`; text from all types, a `TIMESTAMP` in RFC 3339, `BYTES` in
    /// base 64, `NUMERIC` in all its digits; a `TIMESTAMP` also as microseconds in whole numbers; `Option` where there is
    /// `NULL`; structs and vectors from `STRUCT`, `ARRAY` and `JSON`.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn rows<T: DeserializeOwned>(self) -> Result<Rows<T>, BigQueryError> {
        let run = Box::pin(QueryJob::run(&self)).await;
        let mut job = run.map_err(|error| error.without(self.values()))?;
        let client = self.client;
        let parameters = GetQueryResultsParameters {
            location: job.location.clone(),
            max_results: self.page_size,
            ..GetQueryResultsParameters::default()
        };
        let first = if let Some(first) = job.first_page.take() {
            first
        } else {
            let (project, id) = (&*client.project, &*job.id);
            request(&client.connection, client.retry, |api| {
                let parameters = parameters.clone();
                async move { api.job().get_query_results(project, id, parameters).await }
            })
            .await?
        };
        Ok(Rows::new(client, job, self.page_size, first))
    }

    /// What it is asked with: its literals and the values of its parameters.
    fn values(&self) -> Values {
        let mut values = Values::of(&self.sql);
        self.parameters.iter().for_each(|(_, parameter)| parameter.each_value(&mut |value| values.add(value)));
        values
    }

    /// The query as BigQuery is told.
    pub(super) fn configuration(&self) -> Result<JobConfigurationQuery, BigQueryError> {
        let named = self.parameters.iter().filter(|(name, _)| name.is_some()).count();
        let mode = match (named, self.parameters.len()) {
            (_, 0) => None,
            (0, _) => Some("POSITIONAL".to_owned()),
            (named, all) if named == all => Some("NAMED".to_owned()),
            _ => {
                let message = "a query has parameters with names (`bind`) or without (`bind_next`), not both";
                return Err(BigQueryError::Usage(message.to_owned()));
            }
        };
        let parameters = self.parameters.iter().map(|(name, value)| value.clone().named(name.clone())).collect();
        Ok(JobConfigurationQuery {
            query: self.sql.clone(),
            use_legacy_sql: Some(false),
            use_query_cache: Some(self.is_cached),
            priority: self.is_batch.then(|| "BATCH".to_owned()),
            parameter_mode: mode.clone(),
            query_parameters: mode.map(|_| parameters),
            default_dataset: self.default_dataset.as_deref().map(|name| self.dataset(name)),
            ..JobConfigurationQuery::default()
        })
    }

    fn dataset(&self, name: &str) -> DatasetReference {
        let (project_id, dataset_id) = name.split_once('.').unwrap_or((&self.client.project, name));
        DatasetReference { project_id: project_id.to_owned(), dataset_id: dataset_id.to_owned() }
    }
}
