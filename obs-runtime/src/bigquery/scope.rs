//! Cost scopes: the amounts spent and held within a function and everything that it calls.

#[cfg(feature = "bigquery")]
use std::borrow::Cow;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::base::level::Level;
use crate::bigquery::price::{Price, Pricing, SECONDS_OF_AN_HOUR};
use crate::bigquery::refused::CostLimit;
#[cfg(feature = "bigquery")]
use crate::config::budgets::Budget;
use crate::config::pricing_mode::PricingMode;
use crate::context::current::Context;
#[cfg(feature = "bigquery")]
use crate::events::event::UNKNOWN_OPERATION;
use crate::events::event::{Details, Fact, Source};
use crate::events::report::ReportKind;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::errors::message::report_message;
use crate::metrics::callsite::{Callsite, Limits, Tags};
use crate::pipeline::global;

/// The cost of one call of a function under `#[bq_cost]`, including nested scopes.
#[derive(Debug)]
pub struct CostScope {
    callsite: &'static Callsite,
    tags: Tags,
    #[cfg(feature = "bigquery")]
    labels: Tags,
    outer: Option<Arc<CostScope>>,
    used: Mutex<Used>,
}

/// The used part of a scope's limits.
#[derive(Debug, Default)]
struct Used {
    spent_usd: f64,
    spent_bytes: u64,
    slot_time: Duration,
    /// Held by queries that have not ended, in billionths of a US dollar: integers, so that releasing an amount leaves
    /// no remainder.
    reserved_nanos: u64,
    reserved_bytes: u64,
    /// Whether the alert for exceeding the threshold was emitted.
    alerted: bool,
}

impl Used {
    fn usd(&self) -> f64 {
        self.spent_usd + usd(self.reserved_nanos)
    }

    const fn bytes(&self) -> u64 {
        self.spent_bytes.saturating_add(self.reserved_bytes)
    }

    fn release(&mut self, held: &Price) {
        self.reserved_nanos = self.reserved_nanos.saturating_sub(nanos(held.usd));
        self.reserved_bytes = self.reserved_bytes.saturating_sub(held.bytes_billed);
    }
}

/// The tolerance for rounding errors when a sum is compared with a limit.
const SLACK: f64 = 1e-9;

impl CostScope {
    /// The operation of the scope.
    pub const fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// The tags of the call.
    pub const fn tags(&self) -> &Tags {
        &self.tags
    }

    /// The labels of jobs in this scope.
    #[cfg(feature = "bigquery")]
    pub const fn labels(&self) -> &Tags {
        &self.labels
    }

    /// The query type of queries in this scope.
    #[cfg(feature = "bigquery")]
    pub const fn query_type(&self) -> &'static str {
        self.callsite.query_label()
    }

    /// The limits of one call.
    pub const fn limits(&self) -> Limits {
        self.callsite.limits()
    }

    /// The scope and its enclosing scopes, from the inside out.
    pub fn outwards(scope: Option<&Self>) -> impl Iterator<Item = &Self> {
        std::iter::successors(scope, |scope| scope.outer.as_deref())
    }

    /// Holds the price of a query. Returns the limit if that would exceed it.
    pub fn reserve(&self, price: &Price) -> Result<(), CostLimit> {
        let mut used = self.used();
        let Limits { usd: max_usd, bytes: max_bytes, slot_hours, .. } = self.limits();
        let used_slot_hours = used.slot_time.as_secs_f64() / SECONDS_OF_AN_HOUR;
        if let Some(max_slot_hours) = slot_hours.filter(|max| used_slot_hours >= *max) {
            return Err(CostLimit::SlotHours { max_slot_hours, used_slot_hours });
        }
        // In an edition no price is known before the query has run: it may start while something is left.
        let is_used_up = |max: f64| Pricing::current().mode == PricingMode::Edition && used.usd() >= max;
        if let Some(max_usd) = max_usd.filter(|max_usd| is_used_up(*max_usd)) {
            return Err(CostLimit::Usd { max_usd, used_usd: used.usd() });
        }
        if let Some(max_usd) = max_usd.filter(|max_usd| used.usd() + price.usd > max_usd * (1.0 + SLACK)) {
            return Err(CostLimit::Usd { max_usd, used_usd: used.usd() });
        }
        if let Some(max_bytes) = max_bytes.filter(|max| used.bytes().saturating_add(price.bytes_billed) > *max) {
            return Err(CostLimit::Bytes { max_bytes, used_bytes: used.bytes() });
        }
        used.reserved_nanos += nanos(price.usd);
        used.reserved_bytes = used.reserved_bytes.saturating_add(price.bytes_billed);
        Ok(())
    }

    /// Releases a held price.
    pub fn release(&self, price: &Price) {
        self.used().release(price);
    }

    /// The remaining US dollars and bytes; the amount `held` by the caller counts as remaining.
    #[cfg(feature = "bigquery")]
    pub fn left(&self, held: &Price) -> (Option<f64>, Option<u64>) {
        let used = self.used();
        let Limits { usd, bytes, .. } = self.limits();
        let others = used.bytes().saturating_sub(held.bytes_billed);
        (usd.map(|max| max - used.usd() + held.usd), bytes.map(|max| max.saturating_sub(others)))
    }

    /// Replaces what was held by what was spent, in the scope and its enclosing scopes. A reservation of another thread sees
    /// either what is held or what is spent, never neither.
    pub fn settle(scope: Option<&Self>, held: Option<&Price>, price: &Price) {
        for scope in Self::outwards(scope) {
            let mut used = scope.used();
            if let Some(held) = held {
                used.release(held);
            }
            used.spent_usd += price.usd;
            used.spent_bytes = used.spent_bytes.saturating_add(price.bytes_billed);
        }
    }

    /// Adds the slot time of a query that has run, in the scope and its enclosing scopes.
    pub fn add_slot_time(scope: Option<&Self>, slot_time: Option<Duration>) {
        for scope in Self::outwards(scope) {
            let mut used = scope.used();
            used.slot_time = used.slot_time.saturating_add(slot_time.unwrap_or_default());
        }
    }

    /// The limit of slot hours, if a job that runs and has used this much has passed it.
    #[cfg(feature = "bigquery")]
    pub fn slot_limit_passed(&self, slot_time: Duration) -> Option<CostLimit> {
        let used_slot_hours = self.used().slot_time.saturating_add(slot_time).as_secs_f64() / SECONDS_OF_AN_HOUR;
        let max = self.limits().slot_hours.filter(|max| used_slot_hours > *max);
        max.map(|max_slot_hours| CostLimit::SlotHoursPassed { max_slot_hours, used_slot_hours })
    }

    /// Emits the alert, once, if the spent and held amounts exceed the threshold.
    pub fn alert_once(&self) {
        let Some(pipeline) = global::pipeline() else { return };
        let threshold = self.callsite.alert_threshold_usd().unwrap_or(pipeline.config().cost_alert_threshold_usd);
        let passed = {
            let mut used = self.used();
            let total = used.usd();
            let passes = total > threshold && !used.alerted;
            used.alerted |= passes;
            passes.then_some(total)
        };
        if let Some(usd) = passed {
            threshold_passed(self.name(), usd, threshold, global::source(self.callsite.place()), self.tags());
        }
    }

    fn used(&self) -> MutexGuard<'_, Used> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Warns that a cost is over a threshold: a line, a metric, and a message, because the program gets no error.
pub fn threshold_passed(operation: &str, usd: f64, threshold_usd: f64, source: Source<'static>, tags: &Tags) {
    let fact = Fact::CostAlert {
        operation: operation.into(),
        usd,
        threshold_usd: Some(threshold_usd),
        reason: "threshold",
        budget: None,
        refusal: None,
    };
    let details = Details { tags: tags.clone(), ..Details::default() };
    report_message(ReportKind::Message, Level::Warning, fact.message(), source.clone(), details);
    global::emit_tagged(Level::Warning, source, fact, tags);
}

/// Warns that a part of a budget is spent: a line, a metric, and a message, because the program gets no error.
#[cfg(feature = "bigquery")]
pub fn budget_passed(budget: &Budget, period: &str, percent: u8, spent_usd: f64) {
    let context = Context::current();
    let scope = context.extension::<CostScope>();
    let operation = scope.as_deref().map(CostScope::name).or(context.operation()).unwrap_or(UNKNOWN_OPERATION);
    let fact = Fact::CostAlert {
        operation: operation.to_owned().into(),
        usd: spent_usd,
        threshold_usd: Some(budget.usd * f64::from(percent) / 100.0),
        reason: "threshold",
        budget: Some(budget.name.clone().into()),
        refusal: None,
    };
    let text = format!(
        "{percent} % of the budget `{}` for {period} are spent: ${spent_usd:.6} of ${}",
        budget.name, budget.usd
    );
    let source = Source { logger: Cow::Borrowed("obs_runtime"), ..Source::default() };
    report_message(ReportKind::Message, Level::Warning, text.into(), source.clone(), Details::default());
    global::emit_tagged(Level::Warning, source, fact, &Tags::new());
}

/// Warns that a query was refused because of a limit: a line and a metric. The program gets an error.
pub fn refusal(operation: &str, usd: f64, limit: &CostLimit, source: Source<'static>, tags: &Tags) {
    let threshold_usd = match limit {
        CostLimit::Usd { max_usd, .. } => Some(*max_usd),
        CostLimit::Bytes { max_bytes, .. } => Some(Pricing::current().of_bytes(*max_bytes)),
        CostLimit::Budget { limit_usd, .. } => Some(*limit_usd),
        CostLimit::SlotHours { .. }
        | CostLimit::SlotHoursPassed { .. }
        | CostLimit::UnknownPrice { .. }
        | CostLimit::UnknownBudget { .. }
        | CostLimit::BudgetUnavailable { .. } => None,
    };
    let fact = Fact::CostAlert {
        operation: operation.into(),
        usd,
        threshold_usd,
        reason: limit.reason(),
        budget: limit.budget().map(Into::into),
        refusal: Some(limit.to_string().into()),
    };
    global::emit_tagged(Level::Warning, source, fact, tags);
}

/// Warns that BigQuery refused a query because of `maximumBytesBilled`.
#[cfg(feature = "bigquery")]
pub fn refusal_by_bigquery(operation: &str, usd: f64, most_bytes: Option<u64>, source: Source<'static>, tags: &Tags) {
    let threshold_usd = most_bytes.map(|bytes| Pricing::current().of_bytes(bytes));
    let over = most_bytes.map(|bytes| format!(" than the {bytes} that are left")).unwrap_or_default();
    let fact = Fact::CostAlert {
        operation: operation.into(),
        usd: usd.max(threshold_usd.unwrap_or_default()),
        threshold_usd,
        reason: "limit",
        budget: None,
        refusal: Some(format!("at least, and BigQuery refused it: it would be billed for more bytes{over}").into()),
    };
    global::emit_tagged(Level::Warning, source, fact, tags);
}

/// US dollars in whole billionths, rounded up.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a float too large becomes the largest number"
)]
pub fn nanos(usd: f64) -> u64 {
    // Rounding errors of floating-point numbers do not count as another billionth.
    (usd * 1e9 - 1e-3).ceil().max(0.0) as u64
}

/// Billionths in US dollars.
#[expect(clippy::cast_precision_loss, reason = "2^53 billionths are 9 million dollars")]
pub fn usd(nanos: u64) -> f64 {
    nanos as f64 / 1e9
}

/// Whether cost tracking is enabled (`COST_TRACKING_ENABLED`).
pub fn is_tracked() -> bool {
    global::pipeline().is_some_and(|pipeline| pipeline.config().cost_tracking_enabled)
}

/// The context inside of a cost scope.
pub fn inside(call: &Call) -> Context {
    let mut context = Context::current();
    if call.is_on() && is_tracked() {
        let outer = context.extension::<CostScope>();
        context.set_extension(Arc::new(CostScope {
            callsite: call.callsite(),
            tags: call.tags(),
            #[cfg(feature = "bigquery")]
            labels: call.entry().map(|entry| entry.labels.clone()).unwrap_or_default(),
            outer,
            used: Mutex::default(),
        }));
    }
    context
}
