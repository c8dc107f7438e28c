//! The HTTP endpoint: `/metrics` and health, on a thread of its own.

#[cfg(feature = "prometheus")]
pub(crate) mod connections;
#[cfg(feature = "prometheus")]
pub(crate) mod error;
#[cfg(feature = "prometheus")]
pub(crate) mod host;
#[cfg(feature = "prometheus")]
pub(crate) mod identity;
#[cfg(feature = "prometheus")]
pub(crate) mod listener;
#[cfg(feature = "prometheus")]
pub(crate) mod negotiation;
#[cfg(feature = "prometheus")]
pub(crate) mod response;
#[cfg(feature = "prometheus")]
pub(crate) mod routes;
#[cfg(feature = "prometheus")]
pub(crate) mod scrapes;
#[cfg(feature = "prometheus")]
pub(crate) mod write_timeout;
