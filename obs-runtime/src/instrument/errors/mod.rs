//! Errors, panics and messages: capturing them.

pub(crate) mod breadcrumb;
pub(crate) mod capture;
#[cfg(feature = "sentry")]
pub(crate) mod logged;
pub(crate) mod message;
pub(crate) mod panic_watcher;
pub(crate) mod tracked;
