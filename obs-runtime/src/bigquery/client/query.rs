//! A query that has not run yet.

use std::panic::Location;
use std::time::Duration;

use gcp_bigquery_client::model::dataset_reference::DatasetReference;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::parameter::Parameter;
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::labels;
use crate::bigquery::literals::Values;

/// A query, statement or script that has not run yet. [`run`](Self::run) or [`rows`](Self::rows) runs it.
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

impl Client {
    /// Creates a query, a statement or a script.
    #[track_caller]
    pub fn query(&self, sql: impl Into<String>) -> Query {
        Query {
            client: self.clone(),
            sql: sql.into(),
            parameters: Vec::new(),
            labels: Vec::new(),
            max_bytes: None,
            timeout: None,
            page_size: None,
            default_dataset: None,
            location: self.location.clone(),
            is_cached: true,
            is_batch: false,
            place: Location::caller(),
        }
    }
}

impl Query {
    /// Sets the place that events of the query have.
    pub(crate) const fn called_at(mut self, place: &'static Location<'static>) -> Self {
        self.place = place;
        self
    }

    /// Binds the parameter `@name`.
    pub fn bind(mut self, name: impl Into<String>, value: impl Into<Parameter>) -> Self {
        self.parameters.push((Some(name.into().trim_start_matches('@').to_owned()), value.into()));
        self
    }

    /// Binds the next positional parameter `?`.
    pub fn bind_next(mut self, value: impl Into<Parameter>) -> Self {
        self.parameters.push((None, value.into()));
        self
    }

    /// Adds a label to the job, in place of one of that key from a scope or from obs (`service`, `environment`,
    /// `operation`, `correlation_id`). Characters that BigQuery does not allow in labels are replaced; the query fails if no
    /// letter of the key is left, or if it has more than 64 labels.
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((key.into(), value.into()));
        self
    }

    /// The most bytes that the query may read. A query that would read more is refused: by its dry run, or by BigQuery,
    /// which gets it as `maximumBytesBilled`. The dry run does not count the minimum charge of 10 MiB for each table.
    pub const fn max_bytes(mut self, bytes: u64) -> Self {
        self.max_bytes = Some(bytes);
        self
    }

    /// The timeout, after which the job is cancelled. BigQuery gets it, too, so that the job also ends if this process is
    /// killed. By default there is none but BigQuery's own.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The most rows in a page. By default, as many as BigQuery returns at once (10 MB).
    pub fn page_size(mut self, rows: u32) -> Self {
        self.page_size = Some(i32::try_from(rows.max(1)).unwrap_or(i32::MAX));
        self
    }

    /// The default data set for table names without one: `dataset` or `project.dataset`.
    pub fn default_dataset(mut self, name: impl Into<String>) -> Self {
        self.default_dataset = Some(name.into());
        self
    }

    /// The location of the job, instead of the client's.
    pub fn location(mut self, location: impl Into<String>) -> Self {
        self.location = Some(location.into());
        self
    }

    /// Disables the query cache.
    pub const fn without_cache(mut self) -> Self {
        self.is_cached = false;
        self
    }

    /// Runs the query with batch priority: BigQuery starts it when slots are idle.
    pub const fn batch(mut self) -> Self {
        self.is_batch = true;
        self
    }

    /// The values in the query: its literals and parameters.
    pub(super) fn values(&self) -> Values {
        let mut values = Values::of(&self.sql);
        self.parameters.iter().for_each(|(_, parameter)| parameter.each_value(&mut |value| values.add(value)));
        values
    }

    /// The query configuration of the job.
    pub(super) fn configuration(&self) -> Result<JobConfigurationQuery, BigQueryError> {
        if let Some(fault) = labels::fault(&self.labels) {
            return Err(BigQueryError::Usage(fault));
        }
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
