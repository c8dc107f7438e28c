//! Pushes metrics to a Pushgateway, for jobs that end before they are scraped.
//!
//! The group is the job (the service), the environment, the outermost command, and the instance only if configured: a
//! Pushgateway never deletes groups. Once the command has succeeded, PUT replaces the whole group. Before that, POST replaces
//! the families pushed, so that the time of the last success stays after a run that failed.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Instant, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use percent_encoding::percent_decode_str;
use ureq::{Agent, Error};

use crate::base::secret::Secret;
use crate::config::pushgateway_url::PushgatewayUrl;
use crate::events::command_run::first_outermost;
use crate::exporters::http;
use crate::exporters::interface::{Exporter, FlushError, Flushed, StartFlush, no_answer_within};
use crate::exporters::prometheus::exposition::Exposition;
use crate::exporters::prometheus::format::Format;
use crate::exporters::prometheus::push_groups;
use crate::exporters::prometheus::push_groups::Group;
use crate::exporters::prometheus::textfile_exporter::Source;

/// The exporter's name.
const NAME: &str = "pushgateway";

/// What to look at when there is no answer.
const UNREACHABLE: &str = "; is it the address of the Pushgateway, and can this machine reach it?";

/// What to look at when something else answers.
const ELSEWHERE: &str = "; is it the address of a Pushgateway?";

/// The key of the group that is pushed to, beside the command.
#[derive(Clone, Copy, Debug)]
pub struct GroupKey<'a> {
    /// The service.
    pub job: &'a str,
    pub environment: &'a str,
    /// Only if configured.
    pub instance: Option<&'a str>,
}

/// Pushes at every flush. Takes no events.
pub struct PushgatewayExporter {
    source: Source,
    agent: Agent,
    /// Of the group of the service.
    url: String,
    /// The end of the group's key.
    instance: String,
    authorization: Option<Secret<String>>,
    /// The URL without credentials.
    shown: String,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// What was pushed last.
    pushed: Option<Exposition>,
    /// When that was measured.
    at: Option<Instant>,
    /// When the server accepts requests again, after a `Retry-After`.
    not_before: Option<Instant>,
}

impl PushgatewayExporter {
    /// An exporter that pushes the metrics of `source`; `None` if the URL is invalid.
    #[must_use]
    pub fn new(source: Source, url: &PushgatewayUrl, key: &GroupKey<'_>) -> Option<Self> {
        let parts = url.parts()?;
        let optional = |label, value: Option<&str>| value.map(|value| grouping(label, value)).unwrap_or_default();
        let environment = optional("environment", Some(key.environment).filter(|name| !name.is_empty()));
        let authorization = parts.user.map(authorization);
        let base = format!("{}://{}/metrics{}{environment}", parts.scheme, parts.location, grouping("job", key.job));
        Some(Self {
            source,
            agent: http::agent(&base, None, None),
            url: base,
            instance: optional("instance", key.instance),
            authorization,
            shown: url.to_string(),
            state: Mutex::default(),
        })
    }

    fn failed(&self, reason: &str) -> FlushError {
        FlushError { sink: NAME, reason: format!("PROMETHEUS_PUSHGATEWAY_URL {}: {reason}", self.shown) }
    }

    /// Pushes the current metrics, or those measured before unless later ones were pushed already.
    fn push(&self, measured: Option<(Exposition, Instant)>, deadline: Instant) -> Result<Flushed, String> {
        // Held while pushing: a concurrent flush then finds nothing left to push.
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.not_before.is_some_and(|until| Instant::now() < until) {
            return Err("waiting for the server's Retry-After".to_owned());
        }
        if measured.as_ref().is_some_and(|(_, at)| state.at.is_some_and(|pushed| pushed >= *at)) {
            return Ok(Flushed::Nothing);
        }
        let (now, at) = measured.unwrap_or_else(|| ((self.source)(), Instant::now()));
        if state.pushed.as_ref().is_some_and(|pushed| pushed.equals_except_deliveries(&now)) {
            return Ok(Flushed::Nothing);
        }
        let limit = deadline.saturating_duration_since(Instant::now());
        for group in push_groups::split(&now, first_outermost()) {
            let pushed = self.push_group(&group, deadline, &mut state.not_before);
            pushed.map_err(|failure| failure.unwrap_or_else(|| no_answer_within(limit) + UNREACHABLE))?;
        }
        *state = State { pushed: Some(now), at: Some(at), not_before: None };
        Ok(Flushed::Delivered)
    }

    /// Pushes a group. An error without a reason is a timeout.
    fn push_group(
        &self,
        group: &Group,
        deadline: Instant,
        not_before: &mut Option<Instant>,
    ) -> Result<(), Option<String>> {
        let left = deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(None);
        }
        let command = group.command.as_deref().map(|command| grouping("command", command)).unwrap_or_default();
        let url = format!("{}{command}{}", self.url, self.instance);
        let request = if group.is_whole { self.agent.put(&url) } else { self.agent.post(&url) };
        let request = request.content_type(Format::Text.content_type());
        let request = match &self.authorization {
            Some(authorization) => request.header("authorization", authorization.expose()),
            None => request,
        };
        let request = request.config().timeout_global(Some(left)).build();
        let mut response = request.send(Format::Text.render(&group.exposition)).map_err(|error| reason(&error))?;
        let is_page = http::is_page(|name| http::header(response.headers(), name));
        if response.status().is_success() {
            // A proxy or a login page.
            return if is_page { Err(Some(format!("answers with a web page{ELSEWHERE}"))) } else { Ok(()) };
        }
        let wait = http::header(response.headers(), "retry-after");
        let wait = wait.and_then(|value| http::delay(value, SystemTime::now()));
        *not_before = wait.and_then(|wait| Instant::now().checked_add(wait));
        let body = response.body_mut().with_config().limit(64 * 1024).read_to_vec().unwrap_or_default();
        let message = http::said(&body, &self.authorization);
        let status = response.status().as_u16();
        let message = if is_page || message.is_empty() { String::new() } else { format!(": {message}") };
        let advice = match status {
            401 | 403 => "; are the user and the password of the URL right?",
            300..=399 | 404 | 405 => ELSEWHERE,
            _ => "",
        };
        Err(Some(format!("status {status}{message}{advice}")))
    }
}

/// The reason of an error; none for a timeout.
fn reason(error: &Error) -> Option<String> {
    match error {
        Error::Timeout(_) => None,
        Error::TlsRequired => Some("https needs obs-runtime's feature https".to_owned()),
        Error::Io(_) | Error::HostNotFound | Error::ConnectionFailed => Some(format!("{error}{UNREACHABLE}")),
        Error::Protocol(_) => Some(format!("{error}{ELSEWHERE}")),
        other => Some(other.to_string()),
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
        NAME
    }

    fn at_start(self: Arc<Self>) -> Option<StartFlush> {
        let (now, at) = ((self.source)(), Instant::now());
        Some(Box::new(move |deadline| self.push(Some((now, at)), deadline).map_err(|reason| self.failed(&reason))))
    }

    fn flush(&self, deadline: Instant) -> Result<Flushed, FlushError> {
        self.push(None, deadline).map_err(|reason| self.failed(&reason))
    }

    fn late(&self, limit: String) -> String {
        self.failed(&(limit + UNREACHABLE)).reason
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
}
