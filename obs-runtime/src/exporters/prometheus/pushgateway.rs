//! Pushes metrics to a Pushgateway, for jobs that end before they are scraped.
//!
//! Metrics are pushed by POST, which keeps other families of the same group. The group is the job, and the instance only if
//! configured: a Pushgateway never deletes groups.

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use ureq::http::HeaderMap;
use ureq::{Agent, Error};

use crate::base::secret::Secret;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::exporters::http;
use crate::exporters::interface::{Exporter, FlushError, Flushed};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::format::Format;
use crate::exporters::prometheus::textfile_exporter::Source;

/// The longest `Retry-After` that is honoured.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

/// The most characters of a server's error message that are logged.
const MAX_MESSAGE: usize = 300;

/// Pushes at every flush. Takes no events.
pub struct PushgatewayExporter {
    source: Source,
    agent: Agent,
    url: String,
    authorization: Option<Secret<String>>,
    /// The URL without credentials.
    shown: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was pushed last.
    pushed: Option<Exposition>,
    /// When the server accepts requests again, after a `Retry-After`.
    not_before: Option<Instant>,
}

impl PushgatewayExporter {
    /// An exporter that pushes the metrics of `source`; `None` if the URL is invalid.
    #[must_use]
    pub fn new(source: Source, url: &PushgatewayUrl, job: &str, instance: Option<&str>) -> Option<Self> {
        let parts = url.parts()?;
        let instance = instance.map(|instance| grouping("instance", instance)).unwrap_or_default();
        let authorization = parts.user.map(authorization);
        Some(Self {
            source,
            agent: http::agent(None, None),
            url: format!("{}://{}/metrics{}{instance}", parts.scheme, parts.location, grouping("job", job)),
            authorization,
            shown: url.to_string(),
            state: Mutex::default(),
        })
    }

    fn push(&self, deadline: Instant) -> Result<Flushed, String> {
        // Held while pushing: a concurrent flush then finds nothing left to push.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.not_before.is_some_and(|until| Instant::now() < until) {
            return Err("waiting for the server's Retry-After".to_owned());
        }
        let now = (self.source)();
        if state.pushed.as_ref().is_some_and(|pushed| pushed.equals_except_own(&now)) {
            return Ok(Flushed::Nothing);
        }
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err("timed out".to_owned());
        }
        let request = self.agent.post(&self.url).content_type(Format::Text.content_type());
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.expose()),
            None => request,
        };
        let request = request.config().timeout_global(Some(left)).build();
        let mut response = request.send(Format::Text.render(&now)).map_err(|error| reason(&error))?;
        if response.status().is_success() {
            *state = State { pushed: Some(now), not_before: None };
            return Ok(Flushed::Delivered);
        }
        let wait = retry_after(response.headers());
        state.not_before = wait.and_then(|wait| Instant::now().checked_add(wait));
        let body = response.body_mut().with_config().limit(64 * 1024).read_to_string().unwrap_or_default();
        let message: String = body.chars().filter(|letter| !letter.is_control()).take(MAX_MESSAGE).collect();
        Err(format!("status {}: {message}", response.status().as_u16()))
    }
}

/// The `Retry-After` header in seconds.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER))
}

fn reason(error: &Error) -> String {
    match error {
        Error::Timeout(_) => "timed out".to_owned(),
        Error::TlsRequired => "https needs obs-runtime's feature https".to_owned(),
        other => other.to_string(),
    }
}

/// A part of the grouping key as a path; in base64 if the value is not safe in a path.
fn grouping(label: &str, value: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let dots = value.bytes().all(|byte| byte == b'.');
    if value.bytes().all(plain) && !dots {
        format!("/{label}/{value}")
    } else if value.is_empty() {
        format!("/{label}@base64/=")
    } else {
        format!("/{label}@base64/{}", URL_SAFE_NO_PAD.encode(value))
    }
}

/// The `Authorization` header for the user info of a URL, `name:password`.
pub fn authorization(user: &str) -> Secret<String> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_decode_str(text).collect::<Vec<u8>>();
    let pair = [decoded(name), b":".to_vec(), decoded(password)].concat();
    Secret::new(format!("Basic {}", STANDARD.encode(pair)))
}

impl fmt::Debug for PushgatewayExporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PushgatewayExporter").field("url", &self.shown).finish_non_exhaustive()
    }
}

impl Exporter for PushgatewayExporter {
    fn name(&self) -> &'static str {
        "pushgateway"
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.push(deadline).map_err(|reason| FlushError {
            sink: self.name(),
            reason: format!("PROMETHEUS_PUSHGATEWAY_URL {}: {reason}", self.shown),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grouping_key_is_safe_in_a_path() {
        assert_eq!(grouping("job", "nightly-load_2.1"), "/job/nightly-load_2.1");
        assert_eq!(grouping("job", "a/b"), "/job@base64/YS9i");
        assert_eq!(grouping("job", "é?"), "/job@base64/w6k_");
        assert_eq!((&*grouping("job", ""), &*grouping("job", "..")), ("/job@base64/=", "/job@base64/Li4"));
    }

    #[test]
    fn a_user_in_a_url_is_decoded() {
        // `ann@x:p@ss/w%zz`
        assert_eq!(authorization("ann%40x:p%40ss%2Fw%zz").expose(), "Basic YW5uQHg6cEBzcy93JXp6");
    }

    #[test]
    fn retry_after_is_honoured_up_to_a_limit() {
        let wait = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("retry-after", value.parse().unwrap());
            retry_after(&headers)
        };
        assert_eq!(wait("30"), Some(Duration::from_secs(30)));
        assert_eq!(wait("999999999"), Some(MAX_RETRY_AFTER));
        assert_eq!(wait("soon"), None);
    }
}
