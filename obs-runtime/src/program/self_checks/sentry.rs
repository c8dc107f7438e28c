//! Does Sentry take what is sent to it?

use std::time::{Duration, SystemTime};

use ::sentry::types::Dsn;
use ureq::Agent;

use crate::checks::health::status::Health;
use crate::checks::runner::details::timestamp;

/// Sends a report of nothing: it makes no event and counts against no quota.
pub fn takes(dsn: &str, timeout: Duration) -> Result<Health, String> {
    // Its error would quote the DSN.
    let dsn: Dsn = dsn.parse().map_err(|_| "SENTRY_DSN is none".to_owned())?;
    let host = dsn.host();
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(timeout))
        .http_status_as_error(false)
        .max_redirects(0)
        .build()
        .into();
    let now = timestamp(SystemTime::now());
    let report = format!("{{}}\n{{\"type\":\"client_report\"}}\n{{\"timestamp\":\"{now}\",\"discarded_events\":[]}}\n");
    let request = agent.post(dsn.envelope_api_url().to_string());
    let auth = dsn.to_auth(Some(concat!("obs/", env!("CARGO_PKG_VERSION")))).to_string();
    let request = request.header("X-Sentry-Auth", auth).content_type("application/x-sentry-envelope");
    let response = request.send(report).map_err(|error| format!("Sentry at {host} cannot be reached: {error}"))?;
    match response.status().as_u16() {
        200..300 => Ok(Health::healthy()),
        429 => Ok(Health::degraded(format!("Sentry at {host} takes no more for a while (429)"))),
        status @ (401 | 403 | 404) => Err(format!("Sentry at {host} does not accept the DSN ({status})")),
        status => Err(format!("Sentry at {host} answers {status}")),
    }
}
