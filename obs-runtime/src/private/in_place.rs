//! Functions whose body stays their own: the compiler infers the signature of a returned closure only there. No value of theirs
//! is an error. Their call ends when a guard is dropped.

use crate::base::call_scope::ScopeGuard;
use crate::bigquery::scope::inside;
use crate::context::current::ContextGuard;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{FinishOnDrop, performance_in_place};

/// A call that ends on drop, inside of what it has entered.
#[derive(Debug)]
pub struct InPlace<E> {
    // Dropped first.
    _call: FinishOnDrop,
    _entered: E,
}

/// Enters the scope of a call under `#[with_error_tracking]` for as long as the returned value lives.
#[inline]
#[must_use]
pub fn errors_in_place(mut call: Call) -> InPlace<Option<ScopeGuard<'static>>> {
    let scope = call.enclose();
    InPlace { _call: performance_in_place(call), _entered: scope }
}

/// Enters the scope of a call under `#[bq_cost]` for as long as the returned value lives.
#[must_use]
pub fn cost_in_place(call: Call) -> InPlace<ContextGuard> {
    let scope = inside(&call).enter();
    InPlace { _call: performance_in_place(call), _entered: scope }
}
