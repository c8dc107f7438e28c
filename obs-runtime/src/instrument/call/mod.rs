//! One call of an annotated function, from its start to its one outcome.

pub(crate) mod captured_cells;
pub(crate) mod command_finisher;
pub(crate) mod end_flush;
pub(crate) mod entry;
pub(crate) mod lifecycle;
pub(crate) mod lost_context;
#[cfg(feature = "cli")]
pub(crate) mod operator_span;
pub(crate) mod own_scope;
pub(crate) mod panic_line;
pub(crate) mod prepared;
pub(crate) mod propagation;
pub(crate) mod span;
pub(crate) mod tracked_call;
