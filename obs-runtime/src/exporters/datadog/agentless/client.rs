//! Sends requests to Datadog's API and reads its answers, on the calling thread.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde_json::Value;
use ureq::http::{HeaderMap, HeaderValue};
use ureq::{Agent, Body};

use crate::base::secret::Secret;
use crate::exporters::datadog::agentless::payload::{MAX_COMPRESSED, Payload};
use crate::exporters::datadog::agentless::points::Common;
use crate::exporters::datadog::agentless::rejection::Rejection;
use crate::exporters::http;

/// The longest time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of an answer that are read.
const MAX_ANSWER: u64 = 64 * 1024;

/// A client of the API at one URL, with one key.
pub struct ApiClient {
    agent: Agent,
    url: String,
    key: Secret<String>,
}

impl ApiClient {
    /// A client for that URL, which has no slash at its end.
    pub fn new(url: String, key: Secret<String>) -> Self {
        Self { agent: http::agent(&url, None, Some(CONNECT_TIMEOUT)), url, key }
    }

    /// The URL of the API.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    /// Why Datadog has not accepted it.
    pub fn send(&self, payload: &Payload, common: &Common, timeout: Duration) -> Result<(), Rejection> {
        let body = payload.body(common).map_err(|error| Rejection::Network(error.to_string()))?;
        if body.len() > MAX_COMPRESSED {
            return Err(Rejection::TooLarge);
        }
        let mut post = self.agent.post(format!("{}{}", self.url, payload.path())).content_type("application/json");
        if payload.is_compressed() {
            post = post.header("content-encoding", "deflate");
        }
        let post = post.header("dd-api-key", self.header()?).config().timeout_global(Some(timeout)).build();
        let mut answer = post.send(&body[..]).map_err(|error| Rejection::Network(error.to_string()))?;
        let is_page = http::is_page(|name| http::header(answer.headers(), name));
        let status = answer.status().as_u16();
        // A connection is reused only after its answer has been read.
        let read = answer.body_mut().with_config().limit(MAX_ANSWER).read_to_vec();
        match status {
            200..300 => {
                let body = read.map_err(|error| Rejection::Network(error.to_string()))?;
                accepted(&body, is_page, |text| self.message(text, is_page))
            }
            401 | 403 => Err(Rejection::Forbidden { status }),
            413 => Err(Rejection::TooLarge),
            429 => Err(Rejection::RateLimited { reset: delay(answer.headers()) }),
            408 | 500.. => Err(Rejection::Unavailable { status, retry_after: delay(answer.headers()) }),
            _ => Err(Rejection::Refused { status, message: self.message(&read.unwrap_or_default(), is_page) }),
        }
    }

    /// Asks whether the key is valid. Returns the headers of the answer.
    ///
    /// # Errors
    /// Why it is not, or cannot be asked.
    pub fn validate(&self, timeout: Duration) -> Result<HeaderMap, Rejection> {
        let get = self.agent.get(format!("{}/api/v1/validate", self.url)).header("dd-api-key", self.header()?);
        let get = get.config().timeout_global(Some(timeout)).build();
        let mut answer = get.call().map_err(|error| Rejection::Network(error.to_string()))?;
        let headers = answer.headers().clone();
        let is_page = http::is_page(|name| http::header(&headers, name));
        let body = |body: &mut Body| body.with_config().limit(MAX_ANSWER).read_to_vec().unwrap_or_default();
        match answer.status().as_u16() {
            200..300 => {
                accepted(&body(answer.body_mut()), is_page, |text| self.message(text, is_page)).map(|()| headers)
            }
            status @ (401 | 403) => Err(Rejection::Forbidden { status }),
            429 => Err(Rejection::RateLimited { reset: delay(&headers) }),
            status @ (408 | 500..) => Err(Rejection::Unavailable { status, retry_after: delay(&headers) }),
            status => Err(Rejection::Refused { status, message: self.message(&body(answer.body_mut()), is_page) }),
        }
    }

    fn header(&self) -> Result<HeaderValue, Rejection> {
        // The configuration was checked for this.
        let value = HeaderValue::from_str(self.key.expose());
        let mut value = value.map_err(|error| Rejection::Refused { status: 0, message: error.to_string() })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// What the server says, without the key.
    fn message(&self, body: &[u8], is_page: bool) -> String {
        if is_page { "a web page".to_owned() } else { http::said(body, [&self.key]) }
    }
}

impl fmt::Debug for ApiClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ApiClient").field("url", &self.url).finish_non_exhaustive()
    }
}

/// Whether an answer with a status of success is Datadog's: a JSON object without errors, or nothing. `message` makes what the
/// server says fit to be shown.
fn accepted(body: &[u8], is_page: bool, message: impl Fn(&[u8]) -> String) -> Result<(), Rejection> {
    if is_page {
        return Err(Rejection::NotDatadog("a web page".to_owned()));
    }
    if body.is_empty() {
        return Ok(());
    }
    let Ok(Value::Object(answer)) = serde_json::from_slice(body) else {
        return Err(Rejection::NotDatadog("no JSON object".to_owned()));
    };
    match answer.get("errors").and_then(Value::as_array) {
        Some(errors) if !errors.is_empty() => {
            let errors: Vec<_> = errors.iter().map(Value::to_string).collect();
            Err(Rejection::Refused { status: 202, message: message(errors.join(", ").as_bytes()) })
        }
        _ => Ok(()),
    }
}

/// The delay that an answer asks for.
fn delay(headers: &HeaderMap) -> Option<Duration> {
    let delay = |name| http::delay(http::header(headers, name)?, SystemTime::now());
    delay("x-ratelimit-reset").or_else(|| delay("retry-after"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_is_the_reset_of_the_rate_limit_or_retry_after() {
        let delay_of = |given: &[(&'static str, &'static str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in given {
                headers.insert(*name, HeaderValue::from_static(value));
            }
            delay(&headers)
        };
        let seconds = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(delay_of(&[("x-ratelimit-reset", " 7 "), ("retry-after", "9")]), seconds(7));
        assert_eq!(delay_of(&[("retry-after", "9")]), seconds(9));
        assert_eq!(delay_of(&[("x-ratelimit-reset", "999999999")]), Some(http::MAX_RETRY_AFTER));
        assert_eq!((delay_of(&[("retry-after", "soon")]), delay_of(&[])), (None, None));
    }

    #[test]
    fn only_an_answer_of_datadog_without_errors_is_a_success() {
        let said = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
        for body in ["", r#"{"errors":[]}"#, r#"{"status":"ok"}"#, "{}"] {
            assert_eq!(accepted(body.as_bytes(), false, said), Ok(()), "{body}");
        }
        let refused = accepted(br#"{"errors":["too old"]}"#, false, said).unwrap_err();
        assert_eq!((refused.drop_reason(), refused.is_retryable()), ("refused", false));
        for (body, is_page) in [("ok", false), ("[]", false), ("<html>", true), ("", true)] {
            assert_eq!(accepted(body.as_bytes(), is_page, said).unwrap_err().drop_reason(), "not_datadog", "{body}");
        }
    }

    #[test]
    fn the_key_is_in_no_message() {
        let client = ApiClient::new("http://127.0.0.1:9".to_owned(), Secret::new("0123456789abcdef".to_owned()));
        let said = client.message(b"no such key: 0123456789abcdef\n", false);
        assert_eq!(said, "no such key: [REDACTED]");
        assert!(!format!("{client:?}").contains("0123456789abcdef"));
    }
}
