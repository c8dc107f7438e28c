//! The bounds of the check that runs on this thread.

use std::cell::Cell;

use crate::checks::quality::bounds::Bounds;
use crate::checks::quality::measure::{IntoMeasure, Measured};
use crate::checks::quality::status::QualityStatus;

thread_local! {
    static CURRENT: Cell<Option<Bounds>> = const { Cell::new(None) };
}

/// Sets the bounds for this thread, which is that of one call of a check.
pub fn set(bounds: Bounds) {
    CURRENT.set(Some(bounds));
}

/// Adds the bounds of one run to those of the check.
pub fn refine(bounds: Bounds) {
    CURRENT.set(Some(bounds.or(CURRENT.get().unwrap_or_default())));
}

/// Whether a measurement passes the bounds of the check that runs on this thread; `None` if none does.
pub fn passes(measured: &Measured) -> Option<bool> {
    let bounds = CURRENT.get()?;
    let judged =
        bounds.judge(&Measured { value: measured.value, of: measured.of, ..Measured::default() }.into_measure());
    Some(judged.status == QualityStatus::Passed)
}
