//! Where the calls of a test's captures are counted, apart from those of the program.

#[cfg(feature = "testing")]
use std::ptr;

use crate::metrics::cells::Cells;
#[cfg(feature = "testing")]
use crate::pipeline::global;

/// The counts of all captures. They are not read: a capture counts the events that it receives.
#[cfg(feature = "testing")]
static CAPTURED: Cells = Cells::new();

/// The cells of a call that begins here, if it is captured.
#[cfg(feature = "testing")]
pub fn here() -> Option<&'static Cells> {
    global::is_scoped().then_some(&CAPTURED)
}

/// Without the feature `testing`, no call is captured.
#[cfg(not(feature = "testing"))]
pub const fn here() -> Option<&'static Cells> {
    None
}

/// Whether these are the cells of captured calls.
#[cfg(feature = "testing")]
pub fn are(cells: &Cells) -> bool {
    ptr::eq(cells, &raw const CAPTURED)
}

/// Without the feature `testing`, no call is captured.
#[cfg(not(feature = "testing"))]
pub const fn are(_: &Cells) -> bool {
    false
}
