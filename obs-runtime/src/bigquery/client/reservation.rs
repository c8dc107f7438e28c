//! Checks a query against the limits and budgets of the enclosing scopes, and holds its price in them.

use std::time::Duration;

use crate::bigquery::client::error::BigQueryError;
use crate::bigquery::client::query::Query;
use crate::bigquery::guard::{CostReservation, PendingReservation};
use crate::bigquery::literals::without_literals;
use crate::bigquery::price::Price;
use crate::bigquery::refused::{CostLimit, CostRefused};
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::context::current::Context;
use crate::pipeline::global;

/// The lease on an amount held in a budget. Every poll of the job renews it.
pub const LEASE: Duration = Duration::from_mins(10);

/// Holds the expected price of the query, if costs are tracked or the query has a limit. Also returns the location of
/// the job, if known.
pub async fn reserve(
    query: &Query,
    context: &Context,
) -> Result<(Option<CostReservation>, Option<String>), BigQueryError> {
    if !scope::is_tracked() && query.max_bytes.is_none() {
        return Ok((None, None));
    }
    let dry = query.dry_run_with_values().await?;
    let mut reservation = CostReservation::new(global::caller(query.place), context, dry.price);
    reservation.lease = LEASE;
    let refused = |mut refused: CostRefused| {
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
    // A budget store is a file that other processes may have locked.
    let scope = context.extension::<CostScope>();
    let has_budget = CostScope::outwards(scope.as_deref()).any(|scope| scope.limits().budget.is_some());
    let held = if has_budget {
        let held = tokio::task::spawn_blocking(|| ask().map(PendingReservation::new)).await;
        held.map_err(|_| BigQueryError::Usage("the rest of a budget could not be read".to_owned()))?
            .map(PendingReservation::take)
    } else {
        ask().map(Some)
    };
    held.map(|held| (held, dry.location)).map_err(refused)
}

/// The value of `maximumBytesBilled`.
pub fn most_bytes(query: &Query, reservation: Option<&CostReservation>) -> Option<u64> {
    let of_scopes = reservation.and_then(CostReservation::most_bytes);
    [query.max_bytes, of_scopes].into_iter().flatten().min()
}

/// Counts the refusal and warns, if BigQuery refused the query by `maximumBytesBilled`.
pub fn limit_passed(query: &Query, context: &Context, error: BigQueryError) -> BigQueryError {
    if error.reason().is_some_and(|reason| *reason == "bytesBilledLimitExceeded") {
        let reservation =
            CostReservation::new(global::caller(query.place), context, Price { usd: 0.0, bytes_billed: 0 });
        reservation.limit_passed();
    }
    error
}
