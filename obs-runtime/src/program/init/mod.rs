//! Initialisation: the builder and what it overrides.

pub(crate) mod observability;
pub(crate) mod overrides;
#[cfg(feature = "sentry")]
pub(crate) mod tracking;
