//! Reports of queries and prices, as events and in cost scopes.

use std::borrow::Cow;
use std::panic::Location;

use crate::bigquery::price::{Price, Pricing};
use crate::bigquery::scope::{self, CostScope};
use crate::bigquery::statistics::QueryStatistics;
use crate::callsite::Tags;
use crate::context::Context;
use crate::event::{self, Fact};
use crate::global;
use crate::level::Level;

/// Reports how a query ran: `bigquery.query.*{query_type}`. It adds nothing to any cost; [`track_cost`] does.
#[track_caller]
pub fn track_query_performance<'a>(query_type: impl Into<Cow<'a, str>>, statistics: &QueryStatistics) {
    queried(global::caller(Location::caller()), query_type.into(), statistics, &Tags::new());
}

/// Emits how a query ran.
pub fn queried<'a>(source: event::Source<'a>, query_type: Cow<'a, str>, statistics: &QueryStatistics, tags: &Tags) {
    let fact = Fact::Queried {
        query_type,
        duration: statistics.duration,
        bytes_processed: statistics.bytes_processed,
        rows: statistics.rows,
        slot_time: statistics.slot_time,
        cache_hit: statistics.cache_hit,
    };
    global::emit_tagged(Level::Debug, source, fact, tags);
}

/// Reports what a query really cost, in the innermost cost scope (`#[bq_cost]`) and all around it: `bigquery.cost.usd`,
/// `bigquery.total_cost.usd`, bytes. Gives back the price.
///
/// Outside of any scope it counts for the operation of the context. With obs not initialised, or
/// `COST_TRACKING_ENABLED=false`, it only prices.
#[track_caller]
pub fn track_cost(statistics: &QueryStatistics) -> Price {
    spend(&global::caller(Location::caller()), statistics)
}

/// Prices a query that ran and adds it to the cost scopes of the context.
pub fn spend(source: &event::Source<'_>, statistics: &QueryStatistics) -> Price {
    let pricing = Pricing::current();
    let price = pricing.actual(statistics);
    if scope::is_tracked() {
        let context = Context::current();
        let scope = context.carried::<CostScope>();
        emit_price(source.clone(), &context, scope.as_deref(), &price, statistics.bytes_processed, false);
        CostScope::add(scope.as_deref(), context.operation(), price.usd, source);
    }
    price
}

/// Reports what a query is expected to cost before it runs: `bigquery.cost.usd{kind="estimate"}`. It is no spend. Gives
/// back the price: bytes are billed as [`Pricing`] says.
#[track_caller]
pub fn track_estimate(bytes_processed: u64) -> Price {
    let price = Pricing::current().estimate(bytes_processed);
    if scope::is_tracked() {
        let context = Context::current();
        let scope = context.carried::<CostScope>();
        let source = global::caller(Location::caller());
        emit_price(source, &context, scope.as_deref(), &price, bytes_processed, true);
    }
    price
}

/// Counts an operation on a data set: `bigquery.operation{operation_type,dataset}`.
#[track_caller]
pub fn track_bigquery_operation<'a>(operation_type: impl Into<Cow<'a, str>>, dataset: impl Into<Cow<'a, str>>) {
    let fact = Fact::DatasetOperation { operation_type: operation_type.into(), dataset: dataset.into() };
    global::emit_fact(Level::Debug, global::caller(Location::caller()), fact);
}

fn emit_price(
    source: event::Source<'_>,
    context: &Context,
    scope: Option<&CostScope>,
    price: &Price,
    bytes_processed: u64,
    estimate: bool,
) {
    let operation = scope.map(CostScope::name).or(context.operation()).unwrap_or("unknown");
    let tags = scope.map(CostScope::tags).cloned().unwrap_or_default();
    let fact = Fact::Priced(event::Price {
        operation: operation.into(),
        estimate,
        usd: price.usd,
        bytes_processed,
        bytes_billed: price.bytes_billed,
    });
    global::emit_tagged(Level::Info, source, fact, &tags);
}
