//! Check of the Pushgateway.

use std::time::Duration;

use crate::checks::health::status::Health;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::exporters::http;
use crate::exporters::prometheus::pushgateway::authorization;
use crate::program::self_checks::clock_offset::with_clock_offset;

/// Requests `/-/healthy`.
pub fn healthy(url: &PushgatewayUrl, timeout: Duration) -> Result<Health, String> {
    let parts = url.parts().ok_or("PROMETHEUS_PUSHGATEWAY_URL is not valid")?;
    let request_url = format!("{}://{}/-/healthy", parts.scheme, parts.location);
    let mut request = http::agent(&request_url, Some(timeout), None).get(&request_url);
    if let Some(user) = parts.user {
        request = request.header("Authorization", authorization(user).expose());
    }
    let response = request.call().map_err(|error| format!("the Pushgateway {url} cannot be reached: {error}"))?;
    match response.status().as_u16() {
        200..300 if http::is_page(|name| http::header(response.headers(), name)) => {
            Err(format!("{url} answers with a web page; is it a Pushgateway?"))
        }
        200..300 => Ok(with_clock_offset(Health::healthy(), response.headers())),
        status @ (401 | 403) => Err(format!("the Pushgateway {url} rejects the credentials ({status})")),
        status => Err(format!("the Pushgateway {url} answers {status}")),
    }
}
