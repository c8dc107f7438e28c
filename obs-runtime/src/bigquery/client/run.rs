//! Runs a query: dry run, reservation, job, report.

use std::time::{Duration, Instant};

use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;
use gcp_bigquery_client::model::job_statistics2::JobStatistics2;
use serde::de::DeserializeOwned;

use crate::base::clock;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::hints::HintSource;
use crate::bigquery::client::job_api;
use crate::bigquery::client::job_statistics::statistics;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::query_job::QueryJob;
use crate::bigquery::client::reason::Remedy;
use crate::bigquery::client::recovery::LEASE;
use crate::bigquery::client::reservation::{
    Reserved, is_over_limit, limit_passed, most_bytes, reserve, slot_limit_passed,
};
use crate::bigquery::client::retry::{Attempts, Retry};
use crate::bigquery::client::rows::Rows;
use crate::bigquery::client::running::{INVISIBLE, Running};
use crate::bigquery::guard::CostReservation;
use crate::bigquery::labels;
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::{Price, Pricing, priced_as};
use crate::bigquery::report::queried;
use crate::bigquery::scope::CostScope;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;
use crate::events::field::Field;
use crate::pipeline::global;

/// How long BigQuery is asked to hold a response back while the query runs.
const LONG_POLL: Duration = Duration::from_secs(10);

/// How often a `SELECT` is run if its job fails for a transient reason.
const RUNS: u32 = 3;

impl Query {
    /// Runs the query to its end. Rows, if there are any, are not fetched.
    ///
    /// # Errors
    /// [`BigQueryError::Refused`] if the query would cost too much; BigQuery's own error; or an error if BigQuery
    /// cannot be reached.
    pub async fn run(self) -> Result<QueryJob, BigQueryError> {
        // Boxed to keep the caller's future small.
        Box::pin(run(&self)).await.map_err(|error| error.without(self.values()))
    }

    /// Runs the query to its end, and returns its rows: as structs by column names, as tuples by column order, or as
    /// scalars if there is one column.
    ///
    /// Numbers are read from `INT64`, `FLOAT64` and `NUMERIC`. Text is read from all types: a `TIMESTAMP` in RFC 3339,
    /// `BYTES` as base64, a `NUMERIC` with all its digits, a `RANGE` as `[2020-01-01, UNBOUNDED)`. Integers are also read
    /// from a `TIMESTAMP`, in microseconds. A type that is not known yet is text, except through a client made by
    /// [`around`](crate::bigquery::Client::around).
    /// `Option` reads `NULL`; structs and vectors read `STRUCT`, `ARRAY` and `JSON`.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub async fn rows<T: DeserializeOwned>(self) -> Result<Rows<T>, BigQueryError> {
        let run = Box::pin(run(&self)).await;
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
            job_api::results(&client, client.retry, &job.id, &parameters).await?
        };
        Ok(Rows::new(client, job, self.page_size, first))
    }
}

/// Runs a query to its end, within its timeout.
async fn run(query: &Query) -> Result<QueryJob, BigQueryError> {
    match query.timeout {
        None => run_to_end(query, None).await,
        // Dropping the future cancels the job.
        Some(timeout) => {
            let deadline = clock::deadline(Instant::now(), timeout);
            let run = run_to_end(query, Some(deadline));
            tokio::time::timeout(timeout, run).await.unwrap_or(Err(BigQueryError::TimedOut(timeout)))
        }
    }
}

/// The limit that a job ran under.
#[derive(Clone, Copy, Default)]
struct Limit {
    estimate: Option<Price>,
    most_bytes: Option<u64>,
}

async fn run_to_end(query: &Query, deadline: Option<Instant>) -> Result<QueryJob, BigQueryError> {
    let context = Context::current();
    let mut attempts = Attempts::new("a query", query.client.retry);
    let (mut runs, mut estimated_anew) = (0, false);
    let mut limit = Limit::default();
    loop {
        runs += 1;
        let (error, may_run_again) = match Box::pin(run_once(query, &context, deadline, &mut limit)).await {
            Ok(Ok(job)) => return Ok(job),
            Ok(Err(failed)) => failed,
            Err(error) => (error, false),
        };
        if is_over_limit(&error) {
            // The tables may have grown since the dry run: a new one tells, and refuses with true figures.
            if !std::mem::replace(&mut estimated_anew, true) {
                continue;
            }
            limit_passed(query, &context, limit.estimate, limit.most_bytes);
        }
        let again = may_run_again && error.remedy() == Remedy::AskAgain && runs < RUNS;
        if !again || !attempts.pause(&error).await {
            return Err(error);
        }
    }
}

/// Runs one job. The outer error is that of a request. The inner one is that of the job, with whether the job may be
/// run again.
async fn run_once(
    query: &Query,
    context: &Context,
    deadline: Option<Instant>,
    limit: &mut Limit,
) -> Result<Result<QueryJob, (BigQueryError, bool)>, BigQueryError> {
    let id = job_api::new_query_id();
    let Reserved { reservation, location, tables } = reserve(query, context, &id).await?;
    // If the response to the insert is lost, a job outside of the US and EU is only found by its location.
    let location = query.location.clone().or(location);
    let mut configuration = query.configuration()?;
    let estimate = reservation.as_ref().map(CostReservation::estimate);
    *limit = Limit { estimate, most_bytes: most_bytes(query, reservation.as_ref(), tables) };
    configuration.maximum_bytes_billed = limit.most_bytes.map(|bytes| bytes.to_string());
    let configuration = job_configuration(configuration, context, query, deadline);
    let mut running = Running::new(&query.client, &id, location.clone(), context, reservation).await?;
    let location = match job_api::insert(&query.client, &id, location, configuration).await {
        Ok(job) => job.job_reference.and_then(|reference| reference.location),
        // The job exists: the response to an earlier attempt was lost.
        Err(error) if error.remedy() == Remedy::IsThere => None,
        Err(error) => {
            // Without a readable answer the job may run.
            if !matches!(error, BigQueryError::Connection(_) | BigQueryError::Unreadable { .. }) {
                running.never_ran().await;
            }
            return Err(error);
        }
    };
    running.set_created(location);
    let (waited, job) = wait(query, context, &running).await?;
    let failure = job.status.as_ref().and_then(|status| status.error_result.as_ref());
    let failure = failure.map(|error| BigQueryError::of_job(error, &id));
    let statistics = statistics(&job, waited.as_ref().ok());
    let of_query = job.statistics.as_ref().and_then(|statistics| statistics.query.clone()).unwrap_or_default();
    if let Some(error) = failure {
        running.ended(&statistics, true).await;
        return Ok(Err((error, may_run_again(&job))));
    }
    let location = running.location();
    let hints = HintSource::new(&query.client, &query.sql, &of_query, &statistics);
    report(query, context, &id, &of_query, &statistics, &hints);
    let statement = priced_as(of_query.statement_type.as_deref(), &query.sql);
    let (pricing, _) = Pricing::of_job(location.as_deref(), statement);
    let price = running.ended(&statistics, false).await.unwrap_or_else(|| pricing.actual(&statistics));
    // The job ran and is billed; an error in `waited` concerns only its rows.
    let first_page = Some(waited?);
    Ok(Ok(QueryJob {
        location,
        id,
        statement_type: of_query.statement_type,
        statistics,
        price,
        estimate,
        affected_rows: of_query.num_dml_affected_rows.and_then(|rows| rows.parse().ok()),
        hints,
        first_page,
    }))
}

/// Whether a failed job may be run again: only a `SELECT` has no side effects, and what a script, or a procedure that it
/// called, did before it failed stays done and billed:
/// <https://cloud.google.com/bigquery/docs/multi-statement-queries>.
fn may_run_again(job: &Job) -> bool {
    let Some(statistics) = &job.statistics else { return false };
    let statement = statistics.query.as_ref().and_then(|query| query.statement_type.as_deref());
    let has_children = statistics.num_child_jobs.as_deref().is_some_and(|jobs| jobs != "0");
    statement == Some("SELECT") && !has_children
}

/// The configuration of the job. With the query's timeout, BigQuery ends the job also if this process is killed:
/// <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobConfiguration> (`jobTimeoutMs`).
fn job_configuration(
    configuration: JobConfigurationQuery,
    context: &Context,
    query: &Query,
    deadline: Option<Instant>,
) -> JobConfiguration {
    let labels = Some(labels::of(context, &query.labels)).filter(|labels| !labels.is_empty());
    let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()).as_millis());
    // int64 in the API.
    let job_timeout_ms = left.map(|left| left.clamp(1, i64::MAX as u128).to_string());
    JobConfiguration { labels, job_timeout_ms, query: Some(configuration), ..JobConfiguration::default() }
}

/// Waits until the job has ended. Returns the first page of rows, or the error for it, and the job.
async fn wait(
    query: &Query,
    context: &Context,
    running: &Running,
) -> Result<(Result<GetQueryResultsResponse, BigQueryError>, Job), BigQueryError> {
    let client = &query.client;
    // The error of a failed job and that of the request for its rows look the same: the job's state tells them apart.
    // So the request is not retried before the state is known.
    let once = Retry { give_up_after: Duration::ZERO, ..client.retry };
    let mut attempts = Attempts::new("jobs.getQueryResults", client.retry);
    let mut invisible = Attempts::new("jobs.getQueryResults", client.retry.at_most(INVISIBLE));
    loop {
        let parameters = GetQueryResultsParameters {
            location: running.location(),
            max_results: query.page_size,
            timeout_ms: i32::try_from(LONG_POLL.as_millis()).ok(),
            ..GetQueryResultsParameters::default()
        };
        let error = match job_api::results(client, once, running.id(), &parameters).await {
            Ok(answer) if answer.job_complete == Some(false) => {
                attempts = Attempts::new("jobs.getQueryResults", client.retry);
                running.renew(LEASE).await;
                if let Some(passed) = slot_limit_passed(query, context, running).await {
                    // Dropping the job cancels it.
                    return Err(passed);
                }
                continue;
            }
            Ok(answer) => return Ok((Ok(answer), running.ask(client.retry).await?)),
            Err(error) => error,
        };
        let Ok(job) = running.ask(client.retry).await else { return Err(error) };
        let status = job.status.as_ref();
        let is_done = status.and_then(|status| status.state.as_deref()) == Some("DONE");
        let failed = status.is_some_and(|status| status.error_result.is_some());
        let again = match error.remedy() {
            _ if is_done && failed => false,
            Remedy::AskAgain => attempts.may_follow(&error) && attempts.pause(&error).await,
            // The job is there, as its state was just read.
            _ if error.is_not_found() => invisible.pause(&error).await,
            _ => false,
        };
        if !again {
            return if is_done { Ok((Err(error), job)) } else { Err(error) };
        }
    }
}

/// Reports the statistics of the query.
fn report(
    query: &Query,
    context: &Context,
    id: &str,
    of_query: &JobStatistics2,
    statistics: &QueryStatistics,
    hints: &HintSource,
) {
    let scope = context.extension::<CostScope>();
    let own = scope.as_deref().map(CostScope::query_type).filter(|query_type| *query_type != "query");
    let of_statement = of_query.statement_type.as_deref().map(str::to_ascii_lowercase);
    let query_type = own.map_or_else(|| of_statement.unwrap_or_else(|| "query".to_owned()), str::to_owned);
    let mut fields = vec![Field::new("job_id", id.to_owned())];
    let hints: Vec<String> = hints.known().iter().map(ToString::to_string).collect();
    if !hints.is_empty() {
        fields.push(Field::new("hints", hints.join("; ")));
    }
    let tags = scope.as_deref().map(CostScope::tags).cloned().unwrap_or_default();
    let _inside = context.clone().enter();
    let of_span = || {
        let operation = of_query.statement_type.clone().map(|operation| Field::new("db.operation.name", operation));
        let fields = [
            Field::new("db.namespace", query.client.project.clone()),
            Field::new("db.query.text", without_literals(&query.sql)),
            Field::new("obs.bigquery.job_id", id.to_owned()),
        ];
        fields.into_iter().chain(operation).collect()
    };
    queried(global::caller(query.place), query_type.into(), statistics, &tags, fields, of_span);
}
