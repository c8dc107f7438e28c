//! What concerns a whole program, from initialisation to exit, and the tools around it: the HTTP server, commands for
//! operators and the test kit.

#[cfg(unix)]
pub(crate) mod at_exit;
#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "tower")]
pub(crate) mod context_layer;
#[cfg(feature = "datadog")]
pub(crate) mod datadog;
#[cfg(feature = "datadog-agentless")]
pub(crate) mod datadog_api;
#[cfg(feature = "datadog")]
pub(crate) mod datadog_route;
#[cfg(feature = "cli")]
pub(crate) mod doctor;
pub(crate) mod early_drop;
#[cfg(feature = "cli")]
pub(crate) mod generate;
pub(crate) mod guard;
pub mod guide;
#[cfg(unix)]
pub(crate) mod hangup;
pub(crate) mod init;
pub(crate) mod inventory;
pub mod keys;
pub(crate) mod known_series;
#[cfg(feature = "otlp")]
pub(crate) mod otlp;
#[cfg(feature = "prometheus")]
pub(crate) mod prometheus;
pub(crate) mod queries;
pub(crate) mod self_checks;
#[cfg(feature = "sentry")]
pub(crate) mod sentry;
#[cfg(feature = "prometheus")]
pub(crate) mod server;
#[cfg(unix)]
pub(crate) mod signal_handler;
#[cfg(unix)]
pub(crate) mod signals;
pub(crate) mod status;
#[cfg(feature = "testing")]
pub mod testing;
