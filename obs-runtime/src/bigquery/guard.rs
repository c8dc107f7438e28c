//! What stands before a query: its price is held in every scope and budget around it, or the query is refused.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

#[cfg(feature = "bigquery")]
use crate::bigquery::budget::budgets::{Held, LEASE_BY_HAND};
#[cfg(feature = "bigquery")]
use crate::bigquery::price::LEAST_BILLED;
use crate::bigquery::price::{Price, Pricing};
use crate::bigquery::refused::{CostLimit, CostRefused};
use crate::bigquery::report::{emit_price, spend_settled};
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::bigquery::statistics::QueryStatistics;
use crate::context::current::Context;
use crate::events::event::{Source, UNKNOWN_OPERATION};
use crate::instrument::spending;
use crate::metrics::callsite::Tags;
use crate::pipeline::global;

/// Asks whether a query that reads so many bytes may run, for users of another client: its price is held in the cost
/// scopes (`#[bq_cost]`) and budgets around, so that queries at once cannot pass a limit together.
///
/// The estimate is measured (`bigquery.cost.usd{kind="estimate"}`) and warned of when it passes a threshold; it is no
/// spend. Once the query has run, [`CostReservation::settle`] reports what it really cost. With obs not initialised, or
/// `COST_TRACKING_ENABLED=false`, everything may run.
///
/// This reads and writes a local file when there is a budget, which may take a moment.
///
/// # Errors
/// [`CostRefused`] when the query would pass `max_usd`, `max_bytes` or a budget, of which the innermost is told; also when
/// a budget that is named cannot be told.
///
/// ```
/// use obs_runtime::{CostRefused, QueryStatistics, bq_cost, reserve_cost};
///
/// #[bq_cost(max_usd = 5.0)]
/// fn report(dry_run_bytes: u64) -> Result<(), CostRefused> {
///     let reservation = reserve_cost(dry_run_bytes)?;
///     // Here another client runs the query.
///     reservation.settle(&QueryStatistics { bytes_processed: dry_run_bytes, ..QueryStatistics::default() });
///     Ok(())
/// }
/// # report(1 << 30).unwrap();
/// ```
#[track_caller]
pub fn reserve_cost(bytes_processed: u64) -> Result<CostReservation, CostRefused> {
    let price = Pricing::current().estimate(bytes_processed);
    let reservation = CostReservation::new(global::caller(Location::caller()), &Context::current(), price);
    reservation.held(bytes_processed)
}

/// The place that the price of a query has in its scopes and budgets, until it is known what the query cost.
///
/// Dropped without either, it is as a crashed program's: scopes get their share back at once, budgets when its lease ends.
#[must_use = "what is reserved is given back when this is dropped"]
pub struct CostReservation {
    estimate: Price,
    context: Context,
    scope: Option<Arc<CostScope>>,
    is_held: bool,
    alerted: bool,
    source: Source<'static>,
    #[cfg(feature = "bigquery")]
    budgets: Vec<Held>,
    #[cfg(feature = "bigquery")]
    pub(super) lease: std::time::Duration,
}

impl CostReservation {
    /// The place of a query that is not asked for yet.
    pub(super) fn new(source: Source<'static>, context: &Context, estimate: Price) -> Self {
        Self {
            estimate,
            context: context.clone(),
            scope: context.extension::<CostScope>(),
            is_held: false,
            alerted: false,
            source,
            #[cfg(feature = "bigquery")]
            budgets: Vec::new(),
            #[cfg(feature = "bigquery")]
            lease: LEASE_BY_HAND,
        }
    }

    /// Holds the price of the query in every scope and budget of its context.
    pub(super) fn held(mut self, bytes_processed: u64) -> Result<Self, CostRefused> {
        if scope::is_tracked() {
            self.hold(bytes_processed)?;
        }
        Ok(self)
    }

    /// What the query was expected to cost.
    #[must_use]
    pub const fn estimate(&self) -> Price {
        self.estimate
    }

    /// Reports what the query really cost, as [`track_cost`](crate::track_cost) does, in place of what was held.
    pub fn settle(self, statistics: &QueryStatistics) -> Price {
        if statistics.reported {
            self.cancel();
            return Pricing::current().actual(statistics);
        }
        self.settle_once(statistics)
    }

    /// Settles what the tracked client ran.
    pub(super) fn settle_once(mut self, statistics: &QueryStatistics) -> Price {
        let _inside = self.context.clone().enter();
        let held = std::mem::take(&mut self.is_held).then_some(self.estimate);
        let price = spend_settled(&self.source, statistics, held.as_ref(), self.alerted);
        #[cfg(feature = "bigquery")]
        for budget in self.budgets.drain(..) {
            budget.settle(price.usd);
        }
        price
    }

    /// Gives all that is held back: the query did not run, or cost nothing.
    pub fn cancel(mut self) {
        self.release();
        #[cfg(feature = "bigquery")]
        for budget in self.budgets.drain(..) {
            budget.settle(0.0);
        }
    }

    /// What is held of budgets.
    #[cfg(feature = "bigquery")]
    pub(super) fn budgets(&self) -> &[Held] {
        &self.budgets
    }

    /// The most bytes that may be billed without passing a limit of a scope, or more of a budget than is held. None without
    /// a limit. BigQuery takes no limit below the minimum of a query.
    #[cfg(feature = "bigquery")]
    pub(super) fn most_bytes(&self) -> Option<u64> {
        let pricing = Pricing::current();
        let of_scopes = CostScope::outwards(self.scope.as_deref()).flat_map(|scope| {
            let (usd, bytes) = scope.left(&self.estimate);
            [usd.and_then(|usd| pricing.bytes_for(usd)), bytes]
        });
        let of_budgets = (!self.budgets.is_empty() && pricing.usd_per_tib > 0.0).then_some(self.estimate.bytes_billed);
        let most = of_scopes.chain([of_budgets]).flatten().min()?;
        Some(most.max(LEAST_BILLED))
    }

    /// Warns that BigQuery itself refused a query for what it would bill.
    #[cfg(feature = "bigquery")]
    pub(super) fn limit_passed(&self) {
        let operation =
            self.scope.as_deref().map(CostScope::name).or(self.context.operation()).unwrap_or(UNKNOWN_OPERATION);
        let tags = self.scope.as_deref().map(CostScope::tags).cloned().unwrap_or_default();
        let _inside = self.context.clone().enter();
        let limit = CostLimit::Bytes { max_bytes: self.estimate.bytes_billed, used_bytes: 0 };
        scope::refusal(operation, self.estimate.usd, &limit, self.source.clone(), &tags);
        spending::add(&self.context, |spent| spent.refused += 1);
    }

    fn hold(&mut self, bytes_processed: u64) -> Result<(), CostRefused> {
        let scope = self.scope.clone();
        let source = self.source.clone();
        emit_price(source, &self.context, scope.as_deref(), &self.estimate, bytes_processed, true);
        let scopes: Vec<&CostScope> = CostScope::outwards(scope.as_deref()).collect();
        for (at, scope) in scopes.iter().enumerate() {
            if let Err(limit) = scope.reserve(&self.estimate) {
                scopes[..at].iter().for_each(|scope| scope.release(&self.estimate));
                return Err(self.refused(limit, Some(scope)));
            }
        }
        self.is_held = true;
        #[cfg(feature = "bigquery")]
        self.hold_in_budgets(&scopes)?;
        for scope in &scopes {
            scope.alert_once();
        }
        self.alerted = scopes.is_empty() && self.alert_without_scope();
        Ok(())
    }

    #[cfg(feature = "bigquery")]
    fn hold_in_budgets(&mut self, scopes: &[&CostScope]) -> Result<(), CostRefused> {
        for scope in scopes {
            let Some(name) = scope.limits().budget else { continue };
            if self.budgets.iter().any(|held| held.name() == name) {
                continue;
            }
            match Held::reserve(name, self.estimate.usd, self.lease) {
                Ok(held) => self.budgets.push(held),
                Err(limit) => {
                    self.release();
                    self.budgets.drain(..).for_each(|held| held.settle(0.0));
                    return Err(self.refused(limit, Some(scope)));
                }
            }
        }
        Ok(())
    }

    fn alert_without_scope(&self) -> bool {
        let Some(pipeline) = global::pipeline() else { return false };
        let threshold = pipeline.config().cost_alert_threshold_usd;
        let passes = self.estimate.usd > threshold;
        if passes {
            let operation = self.context.operation().unwrap_or(UNKNOWN_OPERATION);
            scope::threshold_passed(operation, self.estimate.usd, threshold, self.source.clone(), &Tags::new());
        }
        passes
    }

    /// The error, and the alert that goes with it.
    pub(super) fn refused(&self, limit: CostLimit, scope: Option<&CostScope>) -> CostRefused {
        let operation = scope.map(CostScope::name).or(self.context.operation()).unwrap_or(UNKNOWN_OPERATION);
        let tags = scope.map(CostScope::tags).cloned().unwrap_or_default();
        scope::refusal(operation, self.estimate.usd, &limit, self.source.clone(), &tags);
        spending::add(&self.context, |spent| spent.refused += 1);
        CostRefused { operation: operation.to_owned(), estimate: self.estimate, limit, query: None }
    }

    /// Gives back what is held in scopes.
    fn release(&mut self) {
        if std::mem::take(&mut self.is_held) {
            CostScope::outwards(self.scope.as_deref()).for_each(|scope| scope.release(&self.estimate));
        }
    }
}

/// A reservation that nobody has taken yet: all that is held is given back when nobody does, as a query is given up that is
/// about to begin.
#[cfg(feature = "bigquery")]
pub struct PendingReservation(Option<CostReservation>);

#[cfg(feature = "bigquery")]
impl PendingReservation {
    pub const fn new(reservation: CostReservation) -> Self {
        Self(Some(reservation))
    }

    pub fn take(mut self) -> Option<CostReservation> {
        self.0.take()
    }
}

#[cfg(feature = "bigquery")]
impl Drop for PendingReservation {
    fn drop(&mut self) {
        if let Some(reservation) = self.0.take() {
            reservation.cancel();
        }
    }
}

impl fmt::Debug for CostReservation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("CostReservation").field("estimate", &self.estimate).finish_non_exhaustive()
    }
}

impl Drop for CostReservation {
    fn drop(&mut self) {
        self.release();
    }
}

#[cfg(all(test, feature = "testing"))]
mod tests;
