//! Requests of BigQuery's jobs API.

use std::sync::Arc;

use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_reference::JobReference;

use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::retry::{Retry, request};
use crate::bigquery::client::tracked_client::Client;

/// Returns a new id for a query job.
pub fn new_query_id() -> String {
    format!("obs_{}", uuid::Uuid::now_v7().simple())
}

/// Creates a job. The id makes a repeated request idempotent.
pub async fn insert(
    client: &Client,
    id: &str,
    location: Option<String>,
    configuration: JobConfiguration,
) -> Result<Job, BigQueryError> {
    let job = Job {
        configuration: Some(configuration),
        job_reference: Some(JobReference {
            job_id: Some(id.to_owned()),
            location,
            project_id: Some(client.project.clone()),
        }),
        ..Job::default()
    };
    let is_dry = job.configuration.as_ref().and_then(|configuration| configuration.dry_run) == Some(true);
    let what = if is_dry { "a dry run" } else { "jobs.insert" };
    let project = &*client.project;
    request(&client.connection, what, client.retry, |api| {
        let job = job.clone();
        async move { api.insert_job(project, job).await }
    })
    .await
}

/// Gets the state and the statistics of a job.
pub async fn get(
    connection: &Arc<Connection>,
    retry: Retry,
    (project, id, location): (&str, &str, Option<&str>),
) -> Result<Job, BigQueryError> {
    request(connection, "jobs.get", retry, |api| async move { api.get_job(project, id, location).await }).await
}

/// Gets one page of the rows of a query.
pub async fn results(
    client: &Client,
    retry: Retry,
    id: &str,
    parameters: &GetQueryResultsParameters,
) -> Result<GetQueryResultsResponse, BigQueryError> {
    let project = &*client.project;
    request(&client.connection, "jobs.getQueryResults", retry, |api| {
        let parameters = parameters.clone();
        async move { api.query_results(project, id, parameters).await }
    })
    .await
}
