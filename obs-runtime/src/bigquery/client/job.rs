//! One query from its dry run to what it cost.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use gcp_bigquery_client::model::get_query_results_parameters::GetQueryResultsParameters;
use gcp_bigquery_client::model::get_query_results_response::GetQueryResultsResponse;
use gcp_bigquery_client::model::job::Job;
use gcp_bigquery_client::model::job_configuration::JobConfiguration;
use gcp_bigquery_client::model::job_configuration_query::JobConfigurationQuery;
use gcp_bigquery_client::model::job_reference::JobReference;
use gcp_bigquery_client::model::job_statistics2::JobStatistics2;

use crate::bigquery::client::cancel::Running;
use crate::bigquery::client::connect::Connection;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::hints;
use crate::bigquery::client::hints::Hint;
use crate::bigquery::client::job_statistics::{number, statistics, tables};
use crate::bigquery::client::query::Query;
use crate::bigquery::client::reason::Remedy;
use crate::bigquery::client::retry::{Attempts, Retry, request};
use crate::bigquery::guard::{CostReservation, Untaken};
use crate::bigquery::labels;
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::{Price, Pricing};
use crate::bigquery::refused::CostLimit;
use crate::bigquery::report::queried;
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;
use crate::events::event::Field;
use crate::pipeline::global;

/// For how long BigQuery is asked to hold its answer back until the query has ended.
const LONG_POLL: Duration = Duration::from_secs(10);

/// How long a share of a budget is held without word of its query; it is renewed with every poll.
const LEASE: Duration = Duration::from_mins(10);

/// How often a query is run that fails for a reason of BigQuery's own.
const RUNS: u32 = 3;

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

impl DryRun {
    pub(super) async fn of(query: &Query) -> Result<Self, BigQueryError> {
        let configuration = JobConfiguration {
            dry_run: Some(true),
            query: Some(query.configuration()?),
            ..JobConfiguration::default()
        };
        let id = new_id();
        let job = insert(query, &id, query.location.clone(), configuration).await?;
        let location = job.job_reference.and_then(|reference| reference.location);
        if let Some(error) = job.status.and_then(|status| status.error_result) {
            return Err(BigQueryError::of_job(&error, &id));
        }
        let statistics = job.statistics.unwrap_or_default();
        let of_query = statistics.query.unwrap_or_default();
        let bytes_processed = number(of_query.total_bytes_processed.or(statistics.total_bytes_processed).as_deref());
        let tables = tables(of_query.referenced_tables.as_deref().unwrap_or_default());
        let price = Pricing::current().estimate_tables(bytes_processed, tables.len().max(1) as u64);
        Ok(Self { bytes_processed, price, tables, statement_type: of_query.statement_type, location })
    }
}

impl QueryJob {
    /// Runs a query to its end.
    pub(super) async fn run(query: &Query) -> Result<Self, BigQueryError> {
        match query.timeout {
            None => Self::run_to_end(query).await,
            // What is dropped then tells the job to stop.
            Some(timeout) => tokio::time::timeout(timeout, Self::run_to_end(query))
                .await
                .unwrap_or(Err(BigQueryError::TimedOut(timeout))),
        }
    }

    async fn run_to_end(query: &Query) -> Result<Self, BigQueryError> {
        let context = Context::current();
        let mut attempts = Attempts::new(query.client.retry);
        let mut runs = 0;
        loop {
            runs += 1;
            let (error, may_run_again) = match Box::pin(Self::run_once(query, &context)).await? {
                Ok(job) => return Ok(job),
                Err(failed) => failed,
            };
            let again = may_run_again && error.remedy() == Remedy::AskAgain && runs < RUNS;
            if !again || !attempts.pause().await {
                return Err(error);
            }
        }
    }

    /// One job. The inner error is the job's own, with whether it left everything as it was.
    async fn run_once(query: &Query, context: &Context) -> Result<Result<Self, (BigQueryError, bool)>, BigQueryError> {
        let (reservation, location) = reserve(query, context).await?;
        // An answer that is lost leaves a job that is found by its place alone, outside of the US and EU.
        let location = query.location.clone().or(location);
        let mut configuration = query.configuration()?;
        configuration.maximum_bytes_billed = most_bytes(query, reservation.as_ref()).map(|bytes| bytes.to_string());
        let estimate = reservation.as_ref().map(CostReservation::estimate);
        let id = new_id();
        let mut running = Running::new(&query.client, &id, location.clone(), context, reservation);
        let job = match insert(query, &id, location, labelled(configuration, context, query)).await {
            Ok(job) => job,
            // It is there: an answer was lost on the way.
            Err(error) if error.remedy() == Remedy::IsThere => running.ask(query.client.retry).await?,
            Err(error) => {
                if !matches!(error, BigQueryError::Connection(_)) {
                    running.never_ran();
                }
                return Err(limit_passed(query, context, error));
            }
        };
        running.set_location(job.job_reference.and_then(|reference| reference.location));
        let (waited, job) = wait(query, &mut running).await?;
        let failure = job.status.as_ref().and_then(|status| status.error_result.as_ref());
        let failure = failure.map(|error| BigQueryError::of_job(error, &id));
        let statistics = statistics(&job, waited.as_ref().ok());
        let of_query = job.statistics.as_ref().and_then(|statistics| statistics.query.clone()).unwrap_or_default();
        if let Some(error) = failure {
            let is_script = of_query.statement_type.as_deref() == Some("SCRIPT");
            running.failed(&statistics, is_script);
            return Ok(Err((limit_passed(query, context, error), !is_script)));
        }
        let location = running.location();
        let hints = hints::of(&query.client, &query.sql, &of_query, &statistics).await;
        let price = report(query, context, &id, &of_query, &statistics, &hints);
        let price = running.ended(&statistics).unwrap_or(price);
        // It ran and is billed; only its rows cannot be had.
        let first_page = Some(waited?);
        Ok(Ok(Self {
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
}

/// Holds what the query is expected to cost, none when nothing is tracked; and where it is to run, when that is known.
async fn reserve(query: &Query, context: &Context) -> Result<(Option<CostReservation>, Option<String>), BigQueryError> {
    if !scope::is_tracked() && query.max_bytes.is_none() {
        return Ok((None, None));
    }
    let dry = DryRun::of(query).await?;
    let mut reservation = CostReservation::new(global::caller(query.place), context, dry.price);
    reservation.lease = LEASE;
    let refused = |mut refused: crate::bigquery::refused::CostRefused| {
        refused.query = Some(without_literals(&query.sql).into());
        BigQueryError::Refused(Box::new(refused))
    };
    if let Some(max_bytes) = query.max_bytes.filter(|max_bytes| dry.price.bytes_billed > *max_bytes) {
        return Err(refused(reservation.refused(CostLimit::Bytes { max_bytes, used_bytes: 0 }, None)));
    }
    let inside = context.clone();
    let ask = move || {
        let _inside = inside.enter();
        reservation.held(dry.bytes_processed)
    };
    // A budget is in a file, for which others may be waiting too.
    let scope = context.carried::<CostScope>();
    let has_budget = CostScope::outwards(scope.as_deref()).any(|scope| scope.limits().budget.is_some());
    let held = if has_budget {
        let held = tokio::task::spawn_blocking(|| ask().map(Untaken::new)).await;
        held.map_err(|_| BigQueryError::Usage("what is left of a budget could not be read".to_owned()))?
            .map(Untaken::take)
    } else {
        ask().map(Some)
    };
    held.map(|held| (held, dry.location)).map_err(refused)
}

/// The bytes past which BigQuery itself is to refuse the query.
fn most_bytes(query: &Query, reservation: Option<&CostReservation>) -> Option<u64> {
    let of_scopes = reservation.and_then(CostReservation::most_bytes);
    [query.max_bytes, of_scopes].into_iter().flatten().min()
}

fn labelled(configuration: JobConfigurationQuery, context: &Context, query: &Query) -> JobConfiguration {
    let labels = Some(labels::of(context, &query.labels)).filter(|labels| !labels.is_empty());
    JobConfiguration { labels, query: Some(configuration), ..JobConfiguration::default() }
}

/// Makes a job, once however often it is asked for.
async fn insert(
    query: &Query,
    id: &str,
    location: Option<String>,
    configuration: JobConfiguration,
) -> Result<Job, BigQueryError> {
    let client = &query.client;
    let job = Job {
        configuration: Some(configuration),
        job_reference: Some(JobReference {
            job_id: Some(id.to_owned()),
            location,
            project_id: Some(client.project.clone()),
        }),
        ..Job::default()
    };
    let project = &*client.project;
    request(&client.connection, client.retry, |api| {
        let job = job.clone();
        async move { api.job().insert(project, job).await }
    })
    .await
}

/// Waits until the job has ended. Gives what was said of its rows, and the job.
async fn wait(
    query: &Query,
    running: &mut Running,
) -> Result<(Result<GetQueryResultsResponse, BigQueryError>, Job), BigQueryError> {
    let client = &query.client;
    // A job that failed answers with its own reason: whether that is the request's is only known when the job is asked.
    let once = Retry { give_up_after: Duration::ZERO, ..client.retry };
    let mut attempts = Attempts::new(client.retry);
    loop {
        let parameters = GetQueryResultsParameters {
            location: running.location(),
            max_results: query.page_size,
            timeout_ms: i32::try_from(LONG_POLL.as_millis()).ok(),
            ..GetQueryResultsParameters::default()
        };
        let (project, id) = (&*client.project, running.id());
        let answer = request(&client.connection, once, |api| {
            let parameters = parameters.clone();
            async move { api.job().get_query_results(project, id, parameters).await }
        });
        let error = match answer.await {
            Ok(answer) if answer.job_complete == Some(false) => {
                attempts = Attempts::new(client.retry);
                running.renew(LEASE).await;
                continue;
            }
            Ok(answer) => return Ok((Ok(answer), running.ask(client.retry).await?)),
            Err(error) => error,
        };
        let Ok(job) = running.ask(client.retry).await else { return Err(error) };
        let status = job.status.as_ref();
        let is_done = status.and_then(|status| status.state.as_deref()) == Some("DONE");
        let failed = status.is_some_and(|status| status.error_result.is_some());
        let again = error.remedy() == Remedy::AskAgain && !(is_done && failed);
        if !again || !attempts.pause().await {
            return if is_done { Ok((Err(error), job)) } else { Err(error) };
        }
    }
}

/// Counts and warns when it was BigQuery that refused the query for its cost.
fn limit_passed(query: &Query, context: &Context, error: BigQueryError) -> BigQueryError {
    if error.reason().is_some_and(|reason| *reason == "bytesBilledLimitExceeded") {
        let reservation =
            CostReservation::new(global::caller(query.place), context, Price { usd: 0.0, bytes_billed: 0 });
        reservation.limit_passed();
    }
    error
}

/// Tells everybody how the query ran. Gives its price.
fn report(
    query: &Query,
    context: &Context,
    id: &str,
    of_query: &JobStatistics2,
    statistics: &QueryStatistics,
    hints: &[Hint],
) -> Price {
    let scope = context.carried::<CostScope>();
    let own = scope.as_deref().map(CostScope::query_type).filter(|query_type| *query_type != "query");
    let of_statement = of_query.statement_type.as_deref().map(str::to_ascii_lowercase);
    let query_type = own.map_or_else(|| of_statement.unwrap_or_else(|| "query".to_owned()), str::to_owned);
    let mut fields = vec![Field::new("job_id", id.to_owned())];
    if !hints.is_empty() {
        let hints: Vec<String> = hints.iter().map(ToString::to_string).collect();
        fields.push(Field::new("hints", hints.join("; ")));
    }
    let tags = scope.as_deref().map(CostScope::tags).cloned().unwrap_or_default();
    let _inside = context.clone().enter();
    queried(global::caller(query.place), query_type.into(), statistics, &tags, fields);
    Pricing::current().actual(statistics)
}

/// The id of a job that nobody else has.
fn new_id() -> String {
    format!("obs_{}", uuid::Uuid::now_v7().simple())
}

/// The job of that id.
pub async fn get(
    connection: &Arc<Connection>,
    retry: Retry,
    (project, id, location): (&str, &str, Option<&str>),
) -> Result<Job, BigQueryError> {
    request(connection, retry, |api| async move { api.job().get_job(project, id, location).await }).await
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
