//! Checks a query against the limits and budgets of the enclosing scopes, and holds its price in them.

use std::collections::BTreeSet;

use crate::bigquery::budget::store::BudgetJob;
use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::query::Query;
use crate::bigquery::client::recovery;
use crate::bigquery::client::recovery::LEASE;
use crate::bigquery::guard::{CostReservation, PendingReservation};
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::{LEAST_BILLED, Price};
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
    let dry = query.dry_run_with_values().await?;
    let mut reservation = CostReservation::new(global::caller(query.place), context, dry.price);
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
        reservation.held(dry.bytes_processed)
    };
    // A budget store is a file that other processes may have locked.
    let scope = context.extension::<CostScope>();
    let budgets = CostScope::outwards(scope.as_deref()).filter_map(|scope| scope.limits().budget);
    let budgets: BTreeSet<&'static str> = budgets.collect();
    let has_budget = !budgets.is_empty();
    if has_budget && scope::is_tracked() {
        recovery::recover(&query.client.connection, context, budgets).await;
    }
    let held = if has_budget {
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
