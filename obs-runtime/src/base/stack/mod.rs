//! base/stack

#[cfg(feature = "sentry")]
pub(crate) mod known;
pub(crate) mod stack_trace;
