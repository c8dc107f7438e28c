//! Bounds how deeply values log while they are formatted.

use std::cell::Cell;

/// How deeply values may log while they are formatted: a value that logs itself would never end.
const MAX_NESTED: u8 = 4;

thread_local! {
    static NESTED: Cell<u8> = const { Cell::new(0) };
}

/// Limits how deeply events are handled within each other.
pub struct Nested;

impl Nested {
    /// One level deeper, unless that is too deep.
    pub fn enter() -> Option<Self> {
        let depth = NESTED.try_with(Cell::get).unwrap_or(0);
        let may_enter = depth < MAX_NESTED;
        // On a thread that is exiting there is nothing to count.
        let _ = NESTED.try_with(|nested| nested.set(if may_enter { depth + 1 } else { depth }));
        may_enter.then_some(Self)
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        let _ = NESTED.try_with(|nested| nested.set(nested.get().saturating_sub(1)));
    }
}
