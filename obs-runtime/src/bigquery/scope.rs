//! Cost scopes: what was spent inside a function, however deep.

use std::sync::{Arc, Mutex, PoisonError};

use crate::call::Call;
use crate::callsite::{Callsite, Tags};
use crate::context::Context;
use crate::event::{Fact, Source};
use crate::global;
use crate::level::Level;

/// What was spent inside one call of a function under `#[bq_cost]`, in the scopes within it too.
#[derive(Debug)]
pub struct CostScope {
    callsite: &'static Callsite,
    tags: Tags,
    outer: Option<Arc<CostScope>>,
    spent_usd: Mutex<f64>,
}

impl CostScope {
    /// The operation of the scope.
    pub const fn name(&self) -> &'static str {
        self.callsite.name()
    }

    /// The labels that the call put on its metrics.
    pub const fn tags(&self) -> &Tags {
        &self.tags
    }

    /// Adds a spend to a scope and to all around it; each alerts once, when it passes its threshold.
    pub fn add(scope: Option<&Self>, operation: Option<&str>, usd: f64, source: &Source<'_>) {
        let Some(pipeline) = global::pipeline() else { return };
        let threshold = pipeline.config().cost_alert_threshold_usd;
        if scope.is_none() && usd > threshold {
            alert(operation.unwrap_or("unknown"), usd, threshold, source.clone(), &Tags::new());
        }
        for scope in std::iter::successors(scope, |scope| scope.outer.as_deref()) {
            let threshold = scope.callsite.alert_threshold_usd().unwrap_or(threshold);
            let (before, after) = {
                let mut spent = scope.spent_usd.lock().unwrap_or_else(PoisonError::into_inner);
                let before = *spent;
                *spent += usd;
                (before, *spent)
            };
            if before <= threshold && after > threshold {
                alert(scope.name(), after, threshold, global::source(scope.callsite.place()), scope.tags());
            }
        }
    }
}

fn alert(operation: &str, usd: f64, threshold_usd: f64, source: Source<'_>, tags: &Tags) {
    let fact = Fact::CostAlert { operation: operation.into(), usd, threshold_usd, reason: "threshold" };
    global::emit_tagged(Level::Warning, source, fact, tags);
}

/// Whether `COST_TRACKING_ENABLED` says so.
pub fn is_tracked() -> bool {
    global::pipeline().is_some_and(|pipeline| pipeline.config().cost_tracking_enabled)
}

/// The context of a cost scope's inside.
pub fn inside(call: &Call) -> Context {
    let mut context = Context::current();
    if call.is_on() && is_tracked() {
        let outer = context.carried::<CostScope>();
        let (callsite, tags) = (call.callsite(), call.tags());
        context.carry(Arc::new(CostScope { callsite, tags, outer, spent_usd: Mutex::new(0.0) }));
    }
    context
}
