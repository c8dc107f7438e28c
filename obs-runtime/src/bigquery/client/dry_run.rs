//! Dry runs: the bytes that a query would read, and its cost.

use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::job_statistics::{number, tables};
use crate::bigquery::client::query::Query;
use crate::bigquery::client::query_job::{Accuracy, DryRun};
use crate::bigquery::price::{Pricing, is_open, priced_as};
use crate::config::pricing_mode::PricingMode;

impl Query {
    /// Returns what the query would read and cost. Nothing runs, and nothing is billed or reported.
    ///
    /// # Errors
    /// Returns an error if the query is invalid, or if BigQuery cannot be reached.
    pub async fn dry_run(&self) -> Result<DryRun, BigQueryError> {
        self.dry_run_with_values().await.map_err(|error| error.without(self.values()))
    }

    /// A dry run whose error may contain values of the query.
    pub(super) async fn dry_run_with_values(&self) -> Result<DryRun, BigQueryError> {
        // A result in the cache reads nothing; but when the query runs, the result may not be there any more.
        // <https://cloud.google.com/bigquery/docs/cached-results>
        let query = JobConfigurationQuery { use_query_cache: Some(false), ..self.configuration()? };
        let configuration = JobConfiguration { dry_run: Some(true), query: Some(query), ..JobConfiguration::default() };
        let id = job_api::new_query_id();
        let job = job_api::insert(&self.client, &id, self.location.clone(), configuration).await?;
        let location = job.job_reference.and_then(|reference| reference.location);
        if let Some(error) = job.status.and_then(|status| status.error_result) {
            return Err(BigQueryError::of_job(&error, &id));
        }
        let statistics = job.statistics.unwrap_or_default();
        let of_query = statistics.query.unwrap_or_default();
        let bytes_processed = number(of_query.total_bytes_processed.or(statistics.total_bytes_processed).as_deref());
        let tables = tables(of_query.referenced_tables.as_deref().unwrap_or_default());
        let statement_type = of_query.statement_type;
        let (pricing, is_known) = Pricing::of_job(location.as_deref(), priced_as(statement_type.as_deref(), &self.sql));
        let price = pricing.estimate_tables(bytes_processed, tables.len().max(1) as u64);
        let is_open = is_open(statement_type.as_deref(), &self.sql);
        let accuracy = Accuracy::of(of_query.total_bytes_processed_accuracy.as_deref(), is_open);
        Ok(DryRun {
            bytes_processed,
            accuracy,
            bytes_billed: price.bytes_billed,
            price: Some(price).filter(|_| is_known && pricing.mode == PricingMode::OnDemand),
            tables,
            statement_type,
            location,
        })
    }
}
