//! Sentry: errors, messages, check-ins, sessions and traces.

#[cfg(feature = "sentry")]
pub(crate) mod breadcrumbs;
#[cfg(feature = "sentry")]
pub(crate) mod contexts;
#[cfg(feature = "sentry")]
pub(crate) mod events;
#[cfg(feature = "sentry")]
pub(crate) mod exporter;
#[cfg(feature = "sentry")]
pub(crate) mod options;
#[cfg(feature = "sentry")]
pub(crate) mod runs;
#[cfg(feature = "sentry")]
pub(crate) mod stacktrace;
#[cfg(feature = "sentry")]
pub(crate) mod traces;
#[cfg(feature = "sentry")]
pub(crate) mod transport;
#[cfg(feature = "sentry")]
pub(crate) mod worker;
