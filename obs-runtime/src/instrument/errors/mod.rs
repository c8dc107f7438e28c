//! Errors, panics and messages: capturing them.

pub(crate) mod breadcrumb;
pub(crate) mod capture;
pub(crate) mod message;
pub(crate) mod panic_watcher;
pub(crate) mod tracked;
