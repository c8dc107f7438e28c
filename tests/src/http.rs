//! Asks a server on loopback.

use std::time::Duration;

use ureq::Agent;

/// The longest body that is read.
const LONGEST: u64 = 200 << 20;

/// The body of an answer with status 200 to a GET with these query parameters.
///
/// # Errors
/// Says what else came, or that nothing did within ten seconds.
pub fn get(url: &str, query: &[(&str, &str)]) -> Result<String, String> {
    get_with(url, query, &[])
}

/// The same with these headers in the request.
///
/// # Errors
/// As [`get`].
pub fn get_with(url: &str, query: &[(&str, &str)], headers: &[(&str, &str)]) -> Result<String, String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let request = agent.get(url).query_pairs(query.iter().copied());
    let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
    let mut response = request.call().map_err(|error| format!("{url}: {error}"))?;
    let body =
        response.body_mut().with_config().limit(LONGEST).read_to_string().map_err(|error| format!("{url}: {error}"))?;
    if response.status() == 200 { Ok(body) } else { Err(format!("{url}: {}: {body}", response.status())) }
}

/// Posts a body, and gives the status of the answer.
///
/// # Errors
/// When nothing came within ten seconds.
pub fn post(url: &str, body: &str) -> Result<u16, String> {
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(Duration::from_secs(10)))
        .http_status_as_error(false)
        .proxy(None)
        .build()
        .into();
    let response = agent.post(url).send(body).map_err(|error| format!("{url}: {error}"))?;
    Ok(response.status().as_u16())
}
