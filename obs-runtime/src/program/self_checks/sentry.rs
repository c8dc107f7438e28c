//! Check of Sentry.

use std::time::{Duration, SystemTime};

use ::sentry::types::Dsn;
use ureq::Agent;

use crate::checks::health::status::Health;
use crate::checks::runner::details::timestamp;
use crate::exporters::http;
use crate::exporters::sentry::connection::ConnectionOptions;
use crate::program::self_checks::clock_offset::with_clock_offset;

/// Sends an empty client report, which creates no event and uses no quota.
pub fn accepts_reports(dsn: &str, connection: &ConnectionOptions, timeout: Duration) -> Result<Health, String> {
    // The error would contain the DSN.
    let dsn: Dsn = dsn.parse().map_err(|_| "SENTRY_DSN is not valid".to_owned())?;
    let host = dsn.host();
    let url = connection.tunnel.clone().unwrap_or_else(|| dsn.envelope_api_url().to_string());
    let mut agent = http::config(&url, Some(timeout), None);
    if let Some(trusted) = &connection.trusted {
        agent = agent.tls_config(trusted.clone());
    }
    let agent = Agent::from(agent.build());
    let now = timestamp(SystemTime::now());
    let report = format!("{{\"timestamp\":\"{now}\",\"discarded_events\":[]}}");
    let length = report.len();
    let report = format!(
        "{{\"sent_at\":\"{now}\",\"dsn\":\"{dsn}\"}}\n{{\"type\":\"client_report\",\"length\":{length}}}\n{report}\n"
    );
    let request = agent.post(&url);
    let auth = dsn.to_auth(Some(concat!("obs/", env!("CARGO_PKG_VERSION")))).to_string();
    let request = request.header("X-Sentry-Auth", auth).content_type("application/x-sentry-envelope");
    let response = request.send(report).map_err(|error| format!("Sentry at {host} cannot be reached: {error}"))?;
    match response.status().as_u16() {
        200..300 if http::is_page(|name| http::header(response.headers(), name)) => {
            Err(format!("{host} answers with a web page; is it Sentry?"))
        }
        200..300 => Ok(with_clock_offset(Health::healthy(), response.headers())),
        429 => Ok(Health::degraded(format!("Sentry at {host} limits the rate (429)"))),
        status @ (401 | 403 | 404) => Err(format!("Sentry at {host} rejects the DSN ({status})")),
        status => Err(format!("Sentry at {host} answers {status}")),
    }
}
