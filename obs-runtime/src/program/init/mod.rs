//! Initialisation: the builder, its overrides, and the construction of the pipeline.

pub(crate) mod entry_point;
pub(crate) mod exclusive;
pub(crate) mod failed_init;
pub(crate) mod init_error;
pub(crate) mod init_warnings;
pub(crate) mod observability;
pub(crate) mod overrides;
pub(crate) mod resolve;
pub(crate) mod running_commands;
pub(crate) mod switched_off;
#[cfg(feature = "sentry")]
pub(crate) mod tracking;
