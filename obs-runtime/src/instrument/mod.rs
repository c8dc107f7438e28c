//! One annotated call from begin to end; commands, errors, performance, spending.

#[cfg(feature = "cli")]
pub(crate) mod argument_usage;
pub(crate) mod call;
pub(crate) mod command;
pub(crate) mod command_future;
pub(crate) mod error_dedup;
pub(crate) mod errors;
pub(crate) mod performance;
pub(crate) mod request;
pub(crate) mod spending;
