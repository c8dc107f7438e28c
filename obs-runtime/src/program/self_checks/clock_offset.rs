//! The difference between the clock of this machine and that of a server, as a detail of the check that asked the server.

use serde_json::json;
use ureq::http::HeaderMap;

use crate::checks::health::status::Health;
use crate::exporters::http;

/// The detail: by how many seconds this machine's clock is ahead.
pub const NAME: &str = "clock_ahead_seconds";

/// Adds the difference, if the headers of a response have a date.
pub fn with_clock_offset(health: Health, headers: &HeaderMap) -> Health {
    match http::clock_offset(headers) {
        Some(seconds) => health.with_details(&json!({ NAME: seconds })),
        None => health,
    }
}
