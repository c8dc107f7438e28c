//! Reports queries and prices: as events, and to the enclosing cost scopes.

use std::borrow::Cow;
use std::panic::Location;
use std::time::Duration;

use crate::base::clock::Start;
use crate::base::level::Level;
use crate::base::outcome::Outcome;
#[cfg(feature = "bigquery")]
use crate::bigquery::budget::budgets;
use crate::bigquery::price::{Price, Pricing};
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::bigquery::statistics::QueryStatistics;
use crate::config::pricing_mode::PricingMode;
use crate::context::current::Context;
use crate::events::event;
use crate::events::event::{Details, Fact, UNKNOWN_OPERATION};
use crate::events::field::Field;
use crate::events::span::SpanDetails;
use crate::events::span_buffer;
use crate::exporters::interface::Topic;
use crate::instrument::call::span::{DetachedEnd, DetachedSpan};
use crate::instrument::spending;
use crate::metrics::callsite::Tags;
use crate::pipeline::global;

/// Reports the statistics of a query: `bigquery.query.*{query_type}`. Does not add to any cost; [`track_cost`] does.
#[track_caller]
pub fn track_query_performance<'a>(query_type: impl Into<Cow<'a, str>>, statistics: &QueryStatistics) {
    queried(global::caller(Location::caller()), query_type.into(), statistics, &Tags::new(), Vec::new(), Vec::new);
}

/// Emits the statistics of a query. `of_span` gives further fields for its span, if it has one.
pub fn queried<'a>(
    source: event::Source<'a>,
    query_type: Cow<'a, str>,
    statistics: &QueryStatistics,
    tags: &Tags,
    fields: Vec<Field<'a>>,
    of_span: impl FnOnce() -> Vec<Field<'static>>,
) {
    if span_buffer::any() {
        record(&query_type, statistics, of_span);
    }
    let fact = Fact::Queried {
        query_type,
        duration: statistics.duration,
        bytes_processed: statistics.bytes_processed,
        rows: statistics.rows,
        slot_time: statistics.slot_time,
        cache_hit: statistics.cache_hit,
    };
    global::emit(Topic::Fact, Level::Debug, source, |_| (fact, Details { fields, tags: tags.clone() }));
}

/// A query is a span of the trace that it is part of. Names of its fields are those of OpenTelemetry's conventions.
#[cold]
fn record(query_type: &str, statistics: &QueryStatistics, of_span: impl FnOnce() -> Vec<Field<'static>>) {
    let begun = Start::ago(statistics.duration.unwrap_or_default());
    let Some(span) = DetachedSpan::begun_at("db.query", begun) else { return };
    let mut fields = of_span();
    let bytes_billed = statistics.bytes_billed.map(|bytes| Field::new("obs.bigquery.bytes_billed", bytes));
    let rows = statistics.rows.map(|rows| Field::new("db.response.returned_rows", rows));
    let slots = statistics.slot_time.map(|time| Field::new("obs.bigquery.slot_seconds", time.as_secs_f64()));
    fields.push(Field::new("db.system.name", "gcp.bigquery"));
    fields.push(Field::new("obs.bigquery.bytes_processed", statistics.bytes_processed));
    fields.push(Field::new("obs.bigquery.cache_hit", statistics.cache_hit));
    fields.push(Field::new("obs.bigquery.cost_usd", Pricing::current().actual(statistics).usd));
    fields.extend([bytes_billed, rows, slots].into_iter().flatten());
    span.end(DetachedEnd {
        name: query_type.to_owned().into(),
        op: "db.query",
        outcome: Outcome::Ok,
        place: None,
        function: None,
        details: SpanDetails::of(fields, None),
    });
}

/// Reports the actual cost of a query to the innermost cost scope (`#[bq_cost]`) and all scopes around it:
/// `bigquery.cost.usd`, `bigquery.total_cost.usd`, bytes. Returns the price.
///
/// Outside of any scope, it counts for the operation of the context. If obs is not initialised, or if
/// `COST_TRACKING_ENABLED=false`, it only returns the price.
#[track_caller]
pub fn track_cost(statistics: &QueryStatistics) -> Price {
    if statistics.reported {
        return Pricing::current().actual(statistics);
    }
    spend(&global::caller(Location::caller()), statistics)
}

/// Prices a query that has run, and adds the price to the cost scopes of the context.
pub fn spend(source: &event::Source<'static>, statistics: &QueryStatistics) -> Price {
    let price = Pricing::current().actual(statistics);
    spend_settled(source, &Settled::of(statistics, price), None, false);
    #[cfg(feature = "bigquery")]
    if scope::is_tracked() {
        let scope = Context::current().extension::<CostScope>();
        budgets::spend(CostScope::outwards(scope.as_deref()).filter_map(|scope| scope.limits().budget), price.usd);
    }
    price
}

/// What a query has cost.
#[derive(Clone, Copy, Debug)]
pub struct Settled {
    pub price: Price,
    pub bytes_processed: u64,
    pub slot_time: Option<Duration>,
    pub is_lower_bound: bool,
}

impl Settled {
    /// By the statistics of the query.
    pub const fn of(statistics: &QueryStatistics, price: Price) -> Self {
        let QueryStatistics { bytes_processed, slot_time, reservation, cache_hit, .. } = *statistics;
        Self { price, bytes_processed, slot_time, is_lower_bound: reservation && !cache_hit }
    }
}

/// As [`spend`], but without the budgets, and in place of what was `held` in the scopes. `alerted`: whether an alert for
/// exceeding the threshold without a scope was emitted.
///
/// The scopes are settled before any exporter gets the event, so that no limit can be passed in between.
pub fn spend_settled(source: &event::Source<'static>, settled: &Settled, held: Option<&Price>, alerted: bool) {
    let Settled { price, bytes_processed, slot_time, is_lower_bound } = settled;
    let context = Context::current();
    let scope = context.extension::<CostScope>();
    if !scope::is_tracked() {
        if let Some(held) = held {
            CostScope::outwards(scope.as_deref()).for_each(|scope| scope.release(held));
        }
        return;
    }
    CostScope::settle(scope.as_deref(), held, price);
    CostScope::add_slot_time(scope.as_deref(), *slot_time);
    spending::add(&context, |spent| {
        spent.usd += price.usd;
        spent.bytes_billed = spent.bytes_billed.saturating_add(price.bytes_billed);
        spent.queries += 1;
    });
    let kind = if *is_lower_bound { PriceKind::AtLeast } else { PriceKind::Actual };
    emit_price(source.clone(), &context, scope.as_deref(), price, *bytes_processed, kind);
    CostScope::outwards(scope.as_deref()).for_each(CostScope::alert_once);
    let threshold = global::pipeline().map_or(f64::MAX, |pipeline| pipeline.config().cost_alert_threshold_usd);
    if scope.is_none() && !alerted && price.usd > threshold {
        let operation = context.operation().unwrap_or(UNKNOWN_OPERATION);
        scope::threshold_passed(operation, price.usd, threshold, source.clone(), &Tags::new());
    }
}

/// Reports the estimated cost of a query before it runs: `bigquery.cost.usd{kind="estimate"}`. It is not counted as
/// spent. Returns the price, by the rules of [`Pricing`].
#[track_caller]
pub fn track_estimate(bytes_processed: u64) -> Price {
    let price = Pricing::current().estimate(bytes_processed);
    if scope::is_tracked() {
        let context = Context::current();
        let scope = context.extension::<CostScope>();
        let source = global::caller(Location::caller());
        emit_price(source, &context, scope.as_deref(), &price, bytes_processed, PriceKind::Estimate);
    }
    price
}

/// Counts an operation on a data set: `bigquery.operation{operation_type,dataset}`.
#[track_caller]
pub fn track_bigquery_operation<'a>(operation_type: impl Into<Cow<'a, str>>, dataset: impl Into<Cow<'a, str>>) {
    let fact = Fact::DatasetOperation { operation_type: operation_type.into(), dataset: dataset.into() };
    global::emit_fact(Level::Debug, global::caller(Location::caller()), fact);
}

/// What a price is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PriceKind {
    Estimate,
    Actual,
    /// An actual price by slot time, which is a lower bound.
    AtLeast,
}

/// Emits an estimated or an actual price. In an edition there is no estimate.
pub fn emit_price(
    source: event::Source<'_>,
    context: &Context,
    scope: Option<&CostScope>,
    price: &Price,
    bytes_processed: u64,
    kind: PriceKind,
) {
    if kind == PriceKind::Estimate && Pricing::current().mode == PricingMode::Edition {
        return;
    }
    let operation = scope.map(CostScope::name).or(context.operation()).unwrap_or(UNKNOWN_OPERATION);
    let tags = scope.map(CostScope::tags).cloned().unwrap_or_default();
    let fact = Fact::Priced(event::Price {
        operation: operation.into(),
        estimate: kind == PriceKind::Estimate,
        is_lower_bound: kind == PriceKind::AtLeast,
        usd: price.usd,
        bytes_processed,
        bytes_billed: price.bytes_billed,
    });
    global::emit_tagged(Level::Info, source, fact, &tags);
}
