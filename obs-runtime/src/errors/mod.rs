//! Errors, panics and messages: captured with what is known of the calls that they pass.

mod capture;
mod crumb;
mod tracked;
mod watch;

pub use capture::{capture_error, capture_message};
pub use crumb::{Breadcrumb, add_breadcrumb};
pub use tracked::{enclosed, enclosed_ended, errors, errors_async, errors_or, errors_or_async};
pub use watch::watch;
