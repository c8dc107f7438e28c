//! The bounds of the check that runs on this thread.

use std::cell::Cell;

use crate::checks::quality::bounds::{Bounds, Limits};
use crate::checks::quality::measure::{IntoMeasure, Measured};
use crate::checks::quality::status::QualityStatus;

thread_local! {
    static CURRENT: Cell<Option<Bounds>> = const { Cell::new(None) };
}

/// Sets the bounds for this thread, which is that of one call of a check.
pub fn set(bounds: Bounds) {
    CURRENT.set(Some(bounds));
}

/// Forgets them: the next call on this thread may be of something else.
pub fn clear() {
    CURRENT.set(None);
}

/// Adds the bounds of one run to those of the check.
pub fn refine(bounds: Bounds) {
    CURRENT.set(Some(bounds.or(CURRENT.get().unwrap_or_default())));
}

/// The status of a measurement by the bounds of the check that runs on this thread; `None` if none does.
pub fn status(measured: &Measured) -> Option<QualityStatus> {
    let bounds = CURRENT.get()?;
    let measured = Measured { value: measured.value, of: measured.of, ..Measured::default() };
    Some(bounds.judge(&measured.into_measure()).status)
}

/// Whether a measurement passes them; `None` if no check runs.
pub fn passes(measured: &Measured) -> Option<bool> {
    status(measured).map(|status| status == QualityStatus::Passed)
}

/// Whether small values fail and large ones do not.
pub fn only_lower() -> bool {
    CURRENT.get().is_some_and(|Bounds { warn, fail, .. }| {
        let has_lower = |limits: Limits| limits.below.is_some() || limits.in_future.is_some();
        let has_upper = |limits: Limits| {
            limits.above.is_some() || limits.rows.is_some() || limits.share.is_some() || limits.older_than.is_some()
        };
        (has_lower(warn) || has_lower(fail)) && !has_upper(warn) && !has_upper(fail)
    })
}
