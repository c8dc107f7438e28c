//! `#[bq_cost]` on functions whose body stays the function's own.

use crate::bigquery::scope::inside;
use crate::context::current::ContextGuard;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{FinishOnDrop, finish_on_drop};

/// A call that finishes on drop, inside of its cost scope.
#[derive(Debug)]
pub struct FinishCostOnDrop {
    // Dropped first, so that the call ends inside of its scope.
    _call: FinishOnDrop,
    _scope: ContextGuard,
}

/// Enters the cost scope of a call until the returned value is dropped, which finishes the call.
pub fn finish_cost_on_drop(call: Call) -> FinishCostOnDrop {
    let scope = inside(&call).enter();
    FinishCostOnDrop { _call: finish_on_drop(call), _scope: scope }
}
