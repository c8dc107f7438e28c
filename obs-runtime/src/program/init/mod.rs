//! Initialisation: the builder, its overrides, and the construction of the pipeline.

pub(crate) mod observability;
pub(crate) mod overrides;
#[cfg(feature = "sentry")]
pub(crate) mod tracking;
