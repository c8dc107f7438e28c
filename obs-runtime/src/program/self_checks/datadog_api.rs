//! Check of Datadog's API.

use std::time::Duration;

use crate::checks::health::status::Health;
use crate::exporters::datadog::agentless::client::ApiClient;
use crate::exporters::datadog::agentless::rejection::Rejection;
use crate::program::self_checks::clock_offset::with_clock_offset;

/// Asks whether the key is valid.
pub fn valid(client: &ApiClient, timeout: Duration) -> Result<Health, String> {
    match client.validate(timeout) {
        Ok(headers) => Ok(with_clock_offset(Health::healthy(), &headers)),
        Err(rejection @ Rejection::RateLimited { .. }) => Ok(Health::degraded(rejection.reason(client.url()))),
        Err(rejection) => Err(rejection.reason(client.url())),
    }
}
