//! Checks a query against the limits and budgets of the enclosing scopes, and holds its price in them.

use std::collections::BTreeSet;
use std::time::Duration;

use futures_util::future::join;

use crate::bigquery::budget::lock_deadline::{LockDeadline, WAIT};
use crate::bigquery::budget::store::BudgetJob;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::job_statistics::statistics;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::recovery;
use crate::bigquery::client::recovery::LEASE;
use crate::bigquery::client::retry::Retry;
use crate::bigquery::client::running::Running;
use crate::bigquery::guard::{CostReservation, PendingReservation};
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::{LEAST_BILLED, Price, Pricing, is_open, priced_as};
use crate::bigquery::refused::{CostLimit, CostRefused};
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::context::current::Context;
use crate::pipeline::global;

/// What is known of a query before it runs.
#[derive(Default)]
pub struct Reserved {
    /// What is held for it; none if costs are not tracked and the query has no limit.
    pub reservation: Option<CostReservation>,
    /// The location of the job, if known.
    pub location: Option<String>,
    /// The number of tables that it reads.
    pub tables: u64,
}

/// Holds the expected price of the query, which the job of this id will run, if costs are tracked or the query has a limit.
pub async fn reserve(query: &Query, context: &Context, id: &str) -> Result<Reserved, BigQueryError> {
    if !scope::is_tracked() && query.max_bytes.is_none() {
        return Ok(Reserved::default());
    }
    let scope = context.extension::<CostScope>();
    let budgets = CostScope::outwards(scope.as_deref()).filter_map(|scope| scope.limits().budget);
    let budgets: BTreeSet<&'static str> = budgets.collect();
    let has_budget = !budgets.is_empty();
    // At the same time, so that the query does not wait for both.
    let (dry, waited) = join(query.dry_run_with_values(), async {
        if has_budget && scope::is_tracked() {
            recovery::recover(&query.client.connection, context, budgets).await
        } else {
            Duration::ZERO
        }
    })
    .await;
    let dry = dry?;
    let statement = priced_as(dry.statement_type.as_deref(), &query.sql);
    let (pricing, is_priced) = Pricing::of_job(dry.location.as_deref(), statement);
    let unpriced = statement.filter(|_| !is_priced).map(str::to_owned);
    let estimate = Price { usd: dry.price.map_or(0.0, |price| price.usd), bytes_billed: dry.bytes_billed };
    let mut reservation =
        CostReservation::new(global::caller(query.place), context, estimate).with_pricing(pricing, unpriced);
    reservation.is_open = is_open(dry.statement_type.as_deref(), &query.sql);
    reservation.lease = LEASE;
    reservation.job = Some(BudgetJob {
        endpoint: query.client.connection.endpoint(),
        project: query.client.project.clone(),
        // As the job is inserted.
        location: query.location.clone().or_else(|| dry.location.clone()),
        id: id.to_owned(),
    });
    let refused = |mut refused: CostRefused| {
        refused.query = Some(without_literals(&query.sql).into());
        BigQueryError::Refused(Box::new(refused))
    };
    if let Some(max_bytes) = query.max_bytes.filter(|max_bytes| dry.bytes_processed > *max_bytes) {
        return Err(refused(reservation.refused(CostLimit::Bytes { max_bytes, used_bytes: 0 }, None)));
    }
    let inside = context.clone();
    let ask = move || {
        let _inside = inside.enter();
        let _deadline = LockDeadline::within(WAIT.saturating_sub(waited));
        reservation.held(dry.bytes_processed)
    };
    let held = if has_budget {
        // A budget store is a file that other processes may have locked.
        let held = tokio::task::spawn_blocking(|| ask().map(PendingReservation::new)).await;
        held.map_err(|_| BigQueryError::Usage("the rest of a budget could not be read".to_owned()))?
            .map(PendingReservation::take)
    } else {
        ask().map(Some)
    };
    let tables = dry.tables.len() as u64;
    held.map(|reservation| Reserved { reservation, location: dry.location, tables }).map_err(refused)
}

/// The value of `maximumBytesBilled`: what is left of all limits. BigQuery refuses a value below the minimum charge of a
/// query, 10 MiB for each table: <https://cloud.google.com/bigquery/pricing#on_demand_pricing>.
pub fn most_bytes(query: &Query, reservation: Option<&CostReservation>, tables: u64) -> Option<u64> {
    let of_scopes = reservation.and_then(CostReservation::most_bytes);
    let most = [query.max_bytes, of_scopes].into_iter().flatten().min()?;
    Some(most.max(LEAST_BILLED.saturating_mul(tables.max(1))))
}

/// Whether BigQuery refused a query because of `maximumBytesBilled`.
pub fn is_over_limit(error: &BigQueryError) -> bool {
    error.reason().is_some_and(|reason| *reason == "bytesBilledLimitExceeded")
}

/// Counts such a refusal and warns.
pub fn limit_passed(query: &Query, context: &Context, estimate: Option<Price>, most_bytes: Option<u64>) {
    let estimate = estimate.unwrap_or(Price { usd: 0.0, bytes_billed: 0 });
    CostReservation::new(global::caller(query.place), context, estimate).limit_passed(most_bytes);
}

/// The error of a job that runs and has passed a limit of slot hours. BigQuery says while it runs what it has used:
/// <https://cloud.google.com/bigquery/docs/reference/rest/v2/Job#JobStatistics> (`totalSlotMs`).
pub async fn slot_limit_passed(query: &Query, context: &Context, running: &Running) -> Option<BigQueryError> {
    let scope = context.extension::<CostScope>();
    let scopes = || CostScope::outwards(scope.as_deref());
    if !scopes().any(|scope| scope.limits().slot_hours.is_some()) {
        return None;
    }
    // The next poll asks again.
    let job = running.ask(Retry { give_up_after: Duration::ZERO, ..query.client.retry }).await.ok()?;
    if job.status.as_ref().and_then(|status| status.state.as_deref()) == Some("DONE") {
        return None;
    }
    let slot_time = statistics(&job, None).slot_time?;
    let (scope, limit) = scopes().find_map(|scope| Some((scope, scope.slot_limit_passed(slot_time)?)))?;
    let nothing = Price { usd: 0.0, bytes_billed: 0 };
    let mut refused = CostReservation::new(global::caller(query.place), context, nothing).refused(limit, Some(scope));
    refused.query = Some(without_literals(&query.sql).into());
    Some(BigQueryError::Refused(Box::new(refused)))
}
