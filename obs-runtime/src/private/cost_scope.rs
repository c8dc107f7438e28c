//! `#[bq_cost]` on functions whose body stays the function's own.

use crate::bigquery::scope::inside;
use crate::context::current::ContextGuard;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{UntilLeft, until_left};

/// A call that enters its cost scope, and ends when it is left.
#[derive(Debug)]
pub struct CostUntilLeft {
    // Dropped first, so that the call ends inside of its scope.
    _call: UntilLeft,
    _scope: ContextGuard,
}

/// Has a call end with the scope that holds what is returned, and enters its cost scope until then.
pub fn cost_until_left(call: Call) -> CostUntilLeft {
    let scope = inside(&call).enter();
    CostUntilLeft { _call: until_left(call), _scope: scope }
}
