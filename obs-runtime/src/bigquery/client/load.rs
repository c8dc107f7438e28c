//! Writing to tables: streaming inserts, and load jobs from Cloud Storage. Neither is billed as a query.

use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_load::JobConfigurationLoad;
use gcp_bigquery_client::model::table_data_insert_all_request::TableDataInsertAllRequest;
use gcp_bigquery_client::model::table_data_insert_all_request_rows::TableDataInsertAllRequestRows;
use gcp_bigquery_client::model::table_reference::TableReference;
use serde::Serialize;
use std::time::Duration;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_api;
use crate::bigquery::client::reason::Remedy;
use crate::bigquery::client::retry::{Attempts, request};
use crate::bigquery::client::running::Running;
use crate::bigquery::client::tracked_client::Client;
use crate::bigquery::labels;
use crate::bigquery::literals::without_values;
use crate::bigquery::report::track_bigquery_operation;
use crate::context::current::Context;

/// How often a load job is run if it fails for a transient reason.
const RUNS: u32 = 3;

/// The longest interval between two polls of a load job.
const PAUSE: Duration = Duration::from_secs(1);

/// The format of the files to load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadFormat {
    /// Newline-delimited JSON objects.
    JsonLines,
    /// Comma-separated values, with a header line.
    CsvWithHeader,
    /// Parquet.
    Parquet,
    /// Avro.
    Avro,
}

/// A completed load job.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Load {
    /// The id of the job.
    pub job_id: String,
    /// The number of rows added to the table.
    pub rows: Option<u64>,
}

impl Client {
    /// Inserts rows into a table, each with an insert id, so that a repeated request adds no duplicates. The table is
    /// `dataset.table` or `project.dataset.table`. Counts `bigquery.operation{operation_type="insert"}`.
    ///
    /// # Errors
    /// Returns an error if BigQuery rejects any of the rows. The others are inserted all the same.
    pub async fn insert<T: Serialize>(&self, table: &str, rows: &[T]) -> Result<(), BigQueryError> {
        let (project, dataset, table) = self.parts(table)?;
        let batch = uuid::Uuid::now_v7().simple();
        let mut all = TableDataInsertAllRequest::new();
        let rows = rows.iter().enumerate().map(|(at, row)| {
            let json = serde_json::to_value(row)?;
            Ok(TableDataInsertAllRequestRows { insert_id: Some(format!("{batch}-{at}")), json })
        });
        let rows: Result<Vec<_>, serde_json::Error> = rows.collect();
        let rows = rows.map_err(|error| BigQueryError::Usage(format!("a row is not a JSON object: {error}")))?;
        // `add_rows` never returns an error.
        let _ = all.add_rows(rows);
        let names = (&*project, &*dataset, &*table);
        let answer = request(&self.connection, "tabledata.insertAll", self.retry, |api| {
            let all = all.clone();
            async move { api.tabledata().insert_all(names.0, names.1, names.2, all).await }
        });
        let answer = answer.await?;
        track_bigquery_operation("insert", &*dataset);
        let refused = answer.insert_errors.unwrap_or_default();
        let Some(first) = refused.first() else { return Ok(()) };
        let said = serde_json::to_string(first).unwrap_or_default();
        Err(BigQueryError::Row {
            row: u64::try_from(first.index.unwrap_or(0)).unwrap_or(0),
            why: format!("{} rows were rejected, the first one: {}", refused.len(), without_values(&said)),
        })
    }

    /// Appends files from Cloud Storage (`gs://…`) to a table. Counts `bigquery.operation{operation_type="load"}`. A
    /// job that fails for a transient reason has not changed the table, and is run again.
    ///
    /// # Errors
    /// Returns an error if the job fails, or if BigQuery cannot be reached.
    pub async fn load(&self, table: &str, files: &[&str], format: LoadFormat) -> Result<Load, BigQueryError> {
        let (project_id, dataset_id, table_id) = self.parts(table)?;
        let (source_format, header) = match format {
            LoadFormat::JsonLines => ("NEWLINE_DELIMITED_JSON", None),
            LoadFormat::CsvWithHeader => ("CSV", Some(1)),
            LoadFormat::Parquet => ("PARQUET", None),
            LoadFormat::Avro => ("AVRO", None),
        };
        let load = JobConfigurationLoad {
            destination_table: Some(TableReference { project_id, dataset_id: dataset_id.clone(), table_id }),
            source_uris: Some(files.iter().map(|file| (*file).to_owned()).collect()),
            source_format: Some(source_format.to_owned()),
            skip_leading_rows: header,
            write_disposition: Some("WRITE_APPEND".to_owned()),
            ..JobConfigurationLoad::default()
        };
        track_bigquery_operation("load", &*dataset_id);
        let mut attempts = Attempts::new("a load", self.retry);
        let mut runs = 0;
        loop {
            runs += 1;
            match Box::pin(self.load_once(load.clone())).await? {
                Ok(load) => return Ok(load),
                Err(error) if error.remedy() == Remedy::AskAgain && runs < RUNS && attempts.pause(&error).await => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Runs one job. The outer error is that of a request, the inner one that of the job.
    async fn load_once(&self, load: JobConfigurationLoad) -> Result<Result<Load, BigQueryError>, BigQueryError> {
        let context = Context::current();
        let id = format!("obs_load_{}", uuid::Uuid::now_v7().simple());
        let labels = Some(labels::of(&context, &[])).filter(|labels| !labels.is_empty());
        let configuration = JobConfiguration { load: Some(load), labels, ..JobConfiguration::default() };
        let mut running = Running::new(self, &id, self.location.clone(), &context, None).await?;
        let mut job = match job_api::insert(self, &id, self.location.clone(), configuration).await {
            Err(error) if error.remedy() == Remedy::IsThere => {
                running.set_created(None);
                running.ask(self.retry).await?
            }
            made => made?,
        };
        running.set_created(job.job_reference.as_ref().and_then(|reference| reference.location.clone()));
        while job.status.as_ref().and_then(|status| status.state.as_deref()) != Some("DONE") {
            tokio::time::sleep(self.retry.first_pause.min(PAUSE)).await;
            job = running.ask(self.retry).await?;
        }
        running.never_ran().await;
        if let Some(error) = job.status.and_then(|status| status.error_result) {
            return Ok(Err(BigQueryError::of_job(&error, &id)));
        }
        let rows = job.statistics.and_then(|statistics| statistics.load?.output_rows?.parse().ok());
        Ok(Ok(Load { job_id: id, rows }))
    }
}
