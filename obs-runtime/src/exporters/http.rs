//! HTTP requests to backends.

use std::time::Duration;

use ureq::Agent;

/// A client that follows no redirects, so that credentials go to the configured host only, and that returns error statuses as
/// responses.
pub fn agent(timeout: Option<Duration>, connect_timeout: Option<Duration>) -> Agent {
    Agent::config_builder()
        .timeout_global(timeout)
        .timeout_connect(connect_timeout)
        .http_status_as_error(false)
        .max_redirects(0)
        .user_agent(concat!("obs/", env!("CARGO_PKG_VERSION")))
        .build()
        .into()
}
