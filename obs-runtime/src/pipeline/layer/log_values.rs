//! The key-values of a record of the `log` crate, on its way through `tracing`, whose events cannot have fields of any name.

use std::cell::Cell;

use crate::events::field::Field;

thread_local! {
    static VALUES: Cell<Vec<Field<'static>>> = const { Cell::new(Vec::new()) };
}

/// Calls a function that emits the event of a record with these key-values.
pub fn with<R>(values: Vec<Field<'static>>, emit: impl FnOnce() -> R) -> R {
    let _ = VALUES.try_with(|current| current.set(values));
    let emitted = emit();
    // No layer of obs has taken them.
    drop(take());
    emitted
}

/// The key-values of the record whose event is handled.
pub fn take() -> Vec<Field<'static>> {
    VALUES.try_with(Cell::take).unwrap_or_default()
}
