//! The cost guard: holds the price of a query in all enclosing scopes and budgets, or refuses the query.

use std::fmt;
use std::panic::Location;
use std::sync::Arc;

#[cfg(feature = "bigquery")]
use crate::bigquery::budget::budgets::{BudgetHold, MANUAL_LEASE};
#[cfg(feature = "bigquery")]
use crate::bigquery::budget::lock_deadline::LockDeadline;
#[cfg(feature = "bigquery")]
use crate::bigquery::budget::store::BudgetJob;
use crate::bigquery::price::{Price, Pricing};
use crate::bigquery::refused::{CostLimit, CostRefused};
use crate::bigquery::report::{PriceKind, Settled, emit_price, spend_settled};
use crate::bigquery::scope;
use crate::bigquery::scope::CostScope;
use crate::bigquery::statistics::QueryStatistics;
#[cfg(feature = "bigquery")]
use crate::config::pricing_mode::PricingMode;
use crate::context::current::Context;
use crate::events::event::{Source, UNKNOWN_OPERATION};
use crate::instrument::spending;
use crate::metrics::callsite::Tags;
use crate::pipeline::global;

/// Checks whether a query that reads `bytes_processed` may run, for programs that use another client. Its price is held
/// in the enclosing cost scopes (`#[bq_cost]`) and budgets, so that concurrent queries cannot exceed a limit together.
///
/// The estimate is recorded as `bigquery.cost.usd{kind="estimate"}`, with a warning if it exceeds a threshold; it is
/// not counted as spent. After the query, call [`CostReservation::settle`] with its actual statistics. If obs is not
/// initialised, or if `COST_TRACKING_ENABLED=false`, every query may run.
///
/// If there is a budget, this and [`CostReservation::settle`] read and write its store, and block for that time: at most two
/// seconds while other processes have its file locked. Then a query is refused, and a settlement is kept beside the file for
/// the next process that writes to it. In async code, call them on a thread for blocking work. The tracked client does that.
///
/// # Errors
/// [`CostRefused`] if the query would exceed `max_usd`, `max_bytes` or a budget; it names the innermost limit that is
/// exceeded. Also if a budget is not defined or cannot be read.
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

/// The price of a query, held in its scopes and budgets until the actual cost is known.
///
/// If it is dropped without [`settle`](Self::settle) or [`cancel`](Self::cancel), scopes release it at once. In budgets it
/// stays held until its lease ends, 6 hours later, and then counts as spent.
#[must_use = "what is reserved is given back when this is dropped"]
pub struct CostReservation {
    estimate: Price,
    pricing: Pricing,
    /// The type of the statement, if it has a price of its own that is not configured.
    unpriced: Option<String>,
    /// Whether the job may run statements that have a price of their own and are not known.
    pub(super) is_open: bool,
    bytes_processed: u64,
    context: Context,
    scope: Option<Arc<CostScope>>,
    is_held: bool,
    alerted: bool,
    source: Source<'static>,
    #[cfg(feature = "bigquery")]
    budgets: Vec<BudgetHold>,
    #[cfg(feature = "bigquery")]
    pub(super) lease: std::time::Duration,
    /// The job that amounts in budgets are held for.
    #[cfg(feature = "bigquery")]
    pub(super) job: Option<BudgetJob>,
}

impl CostReservation {
    /// A reservation that does not hold anything yet.
    pub(super) fn new(source: Source<'static>, context: &Context, estimate: Price) -> Self {
        Self {
            estimate,
            pricing: Pricing::current(),
            unpriced: None,
            is_open: false,
            bytes_processed: 0,
            context: context.clone(),
            scope: context.extension::<CostScope>(),
            is_held: false,
            alerted: false,
            source,
            #[cfg(feature = "bigquery")]
            budgets: Vec::new(),
            #[cfg(feature = "bigquery")]
            lease: MANUAL_LEASE,
            #[cfg(feature = "bigquery")]
            job: None,
        }
    }

    /// With the prices of a job, and the type of its statement if these are not its prices.
    #[cfg(feature = "bigquery")]
    pub(super) fn with_pricing(mut self, pricing: Pricing, unpriced: Option<String>) -> Self {
        (self.pricing, self.unpriced) = (pricing, unpriced);
        self
    }

    /// Holds the price in all scopes and budgets of the context.
    pub(super) fn held(mut self, bytes_processed: u64) -> Result<Self, CostRefused> {
        #[cfg(feature = "bigquery")]
        let _deadline = LockDeadline::begin();
        self.bytes_processed = bytes_processed;
        if scope::is_tracked() {
            self.hold()?;
        }
        Ok(self)
    }

    /// The estimated cost of the query.
    #[must_use]
    pub const fn estimate(&self) -> Price {
        self.estimate
    }

    /// Reports the actual cost, as [`track_cost`](crate::track_cost) does, and releases what was held.
    pub fn settle(self, statistics: &QueryStatistics) -> Price {
        if statistics.reported {
            let price = self.pricing.actual(statistics);
            self.cancel();
            return price;
        }
        self.settle_once(statistics)
    }

    /// Settles a query of the tracked client.
    pub(super) fn settle_once(self, statistics: &QueryStatistics) -> Price {
        let _inside = self.context.clone().enter();
        let price = self.pricing.actual(statistics);
        let settled = Settled::of(statistics, price);
        let is_least = self.unpriced.is_some() || self.is_open;
        let settled = Settled { is_lower_bound: settled.is_lower_bound || is_least, ..settled };
        self.settle_at(&settled)
    }

    /// Counts the estimate as spent, because it is not known what the query cost. In budgets it counts until BigQuery says
    /// what the job cost.
    #[cfg(feature = "bigquery")]
    pub(super) fn settle_at_estimate(mut self) -> Price {
        let _inside = self.context.clone().enter();
        let _deadline = LockDeadline::begin();
        self.budgets.drain(..).for_each(BudgetHold::abandon);
        let (price, bytes_processed) = (self.estimate, self.bytes_processed);
        self.settle_at(&Settled { price, bytes_processed, slot_time: None, is_lower_bound: false })
    }

    /// Settles in the current context, which must be that of the reservation.
    fn settle_at(mut self, settled: &Settled) -> Price {
        #[cfg(feature = "bigquery")]
        let _deadline = LockDeadline::begin();
        let held = std::mem::take(&mut self.is_held).then_some(self.in_scopes());
        spend_settled(&self.source, settled, held.as_ref(), self.alerted);
        #[cfg(feature = "bigquery")]
        for budget in self.budgets.drain(..) {
            budget.settle(settled.price.usd);
        }
        settled.price
    }

    /// Releases everything: the query did not run, or was free.
    pub fn cancel(mut self) {
        #[cfg(feature = "bigquery")]
        let _deadline = LockDeadline::begin();
        self.release();
        #[cfg(feature = "bigquery")]
        for budget in self.budgets.drain(..) {
            budget.settle(0.0);
        }
    }

    /// The amounts held in budgets.
    #[cfg(feature = "bigquery")]
    pub(super) fn budgets(&self) -> &[BudgetHold] {
        &self.budgets
    }

    /// The most bytes that may be billed without exceeding what is left of the limits of the scopes and of the budgets;
    /// `None` if there is no limit. It does not depend on the estimate, which may be too low: a table may grow after the
    /// dry run, and that of a script ends at its first control statement.
    #[cfg(feature = "bigquery")]
    pub(super) fn most_bytes(&self) -> Option<u64> {
        let pricing = self.pricing;
        let held = self.in_scopes();
        let of_scopes = CostScope::outwards(self.scope.as_deref()).flat_map(|scope| {
            let (usd, bytes) = scope.left(&held);
            [usd.and_then(|usd| pricing.bytes_for(usd)), bytes]
        });
        let of_budgets = self.budgets.iter().map(|held| pricing.bytes_for(held.left_usd()));
        of_scopes.chain(of_budgets).flatten().min()
    }

    /// What is held in scopes: the price, and the bytes that the query reads. The minimum charge for each table counts as
    /// money only.
    const fn in_scopes(&self) -> Price {
        Price { usd: self.estimate.usd, bytes_billed: self.bytes_processed }
    }

    /// Warns that BigQuery refused a query because of `maximumBytesBilled`.
    #[cfg(feature = "bigquery")]
    pub(super) fn limit_passed(&self, most_bytes: Option<u64>) {
        let operation =
            self.scope.as_deref().map(CostScope::name).or(self.context.operation()).unwrap_or(UNKNOWN_OPERATION);
        let tags = self.scope.as_deref().map(CostScope::tags).cloned().unwrap_or_default();
        let _inside = self.context.clone().enter();
        scope::refusal_by_bigquery(operation, self.estimate.usd, most_bytes, self.source.clone(), &tags);
        spending::add(&self.context, |spent| spent.refused += 1);
    }

    fn hold(&mut self) -> Result<(), CostRefused> {
        let scope = self.scope.clone();
        let scopes: Vec<&CostScope> = CostScope::outwards(scope.as_deref()).collect();
        self.refuse_unpriced(&scopes)?;
        if self.unpriced.is_none() {
            let source = self.source.clone();
            emit_price(
                source,
                &self.context,
                scope.as_deref(),
                &self.estimate,
                self.bytes_processed,
                PriceKind::Estimate,
            );
        }
        let held = self.in_scopes();
        for (at, scope) in scopes.iter().enumerate() {
            if let Err(limit) = scope.reserve(&held) {
                scopes[..at].iter().for_each(|scope| scope.release(&held));
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

    /// Refuses a statement whose price is not known where a limit in US dollars or a budget applies.
    fn refuse_unpriced(&self, scopes: &[&CostScope]) -> Result<(), CostRefused> {
        let Some(statement) = &self.unpriced else { return Ok(()) };
        let is_limited = |scope: &&&CostScope| scope.limits().usd.is_some() || scope.limits().budget.is_some();
        let limited = scopes.iter().find(is_limited);
        let refused =
            |scope: &&CostScope| self.refused(CostLimit::UnknownPrice { statement: statement.clone() }, Some(scope));
        limited.map_or(Ok(()), |scope| Err(refused(scope)))
    }

    #[cfg(feature = "bigquery")]
    fn hold_in_budgets(&mut self, scopes: &[&CostScope]) -> Result<(), CostRefused> {
        for scope in scopes {
            let Some(name) = scope.limits().budget else { continue };
            if self.budgets.iter().any(|held| held.name() == name) {
                continue;
            }
            // In an edition, a query may start while anything is left.
            let least = if Pricing::current().mode == PricingMode::Edition { 1e-9 } else { 0.0 };
            match BudgetHold::reserve(name, self.estimate.usd.max(least), self.lease, self.job.clone()) {
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

    /// Builds the error, and emits the corresponding alert.
    pub(super) fn refused(&self, limit: CostLimit, scope: Option<&CostScope>) -> CostRefused {
        let operation = scope.map(CostScope::name).or(self.context.operation()).unwrap_or(UNKNOWN_OPERATION);
        let tags = scope.map(CostScope::tags).cloned().unwrap_or_default();
        scope::refusal(operation, self.estimate.usd, &limit, self.source.clone(), &tags);
        spending::add(&self.context, |spent| spent.refused += 1);
        CostRefused { operation: operation.to_owned(), estimate: self.estimate, limit, query: None }
    }

    /// Releases what is held in scopes.
    fn release(&mut self) {
        if std::mem::take(&mut self.is_held) {
            let held = self.in_scopes();
            CostScope::outwards(self.scope.as_deref()).for_each(|scope| scope.release(&held));
        }
    }
}

/// A reservation that is cancelled if it is dropped before it is taken: the caller's future may be dropped while the
/// reservation is being made.
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
