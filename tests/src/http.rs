//! HTTP requests to servers on loopback.

use std::time::Duration;

use ureq::Agent;

/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The longest body that is read, in bytes.
const LONGEST: u64 = 200 << 20;

/// A client without a proxy, which returns an answer of any status.
#[must_use]
pub fn agent(timeout: Duration) -> Agent {
    let agent = Agent::config_builder().timeout_global(Some(timeout)).http_status_as_error(false);
    agent.proxy(None).build().into()
}

/// The body of an answer with status 200 to a GET with these query parameters.
///
/// # Errors
/// When no answer comes in time, or one with another status.
pub fn get(url: &str, query: &[(&str, &str)]) -> Result<String, String> {
    get_with(url, query, &[])
}

/// The same with these headers in the request.
///
/// # Errors
/// As [`get`].
pub fn get_with(url: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Result<String, String> {
    let request = agent(TIMEOUT).get(url).query_pairs(query.iter().copied());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut response = request.call().map_err(|error| format!("{url}: {error}"))?;
    let body =
        response.body_mut().with_config().limit(LONGEST).read_to_string().map_err(|error| format!("{url}: {error}"))?;
    if response.status() == 200 { Ok(body) } else { Err(format!("{url}: {}: {body}", response.status())) }
}

/// Posts a body and returns the status of the answer.
///
/// # Errors
/// When no answer comes in time.
pub fn post(url: &str, body: &str) -> Result<u16, String> {
    let response = agent(TIMEOUT).post(url).send(body).map_err(|error| format!("{url}: {error}"))?;
    Ok(response.status().as_u16())
}
