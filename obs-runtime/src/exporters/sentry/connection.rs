//! How envelopes reach the server: directly, by a proxy, or by a tunnel.

use std::time::{Duration, Instant};

use ::sentry::types::Dsn;
use ::sentry::{Envelope, TransportOptions};
use ureq::tls::TlsConfig;
use ureq::{Agent, Error, Timeout};

use crate::base::clock;
use crate::exporters::http;
use crate::exporters::interface::rounded;
use crate::exporters::sentry::plain_proxy::PlainProxy;
use crate::exporters::sentry::rejection::Rejection;

/// The timeout of connecting to the server.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(3);

/// The most bytes of a response that are read.
const MAX_RESPONSE: u64 = 64 * 1024;

const CONTENT_TYPE: &str = "application/x-sentry-envelope";

/// How the configuration has the server reached.
#[derive(Clone, Debug, Default)]
pub struct ConnectionOptions {
    /// Where envelopes are sent instead of the server of the DSN.
    pub tunnel: Option<String>,
    /// What is trusted instead of the public certificates.
    pub trusted: Option<TlsConfig>,
}

/// Sends envelopes to one URL.
pub struct Connection {
    agent: Agent,
    url: String,
    auth: String,
    plain_proxy: Option<PlainProxy>,
    /// What tells a tunnel where an envelope belongs.
    tunnelled: Option<Dsn>,
    /// The host and port.
    server: String,
}

/// What the server says.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `X-Sentry-Rate-Limits`
    pub rate_limits: Option<String>,
    /// `Retry-After`
    pub retry_after: Option<String>,
    /// Whether it is a web page.
    pub is_page: bool,
}

impl Answer {
    fn of<'h>(status: u16, header: impl Fn(&str) -> Option<&'h str>) -> Self {
        let owned = |name: &str| header(name).map(str::to_owned);
        Self {
            status,
            rate_limits: owned("x-sentry-rate-limits"),
            retry_after: owned("retry-after"),
            is_page: http::is_page(&header),
        }
    }
}

impl Connection {
    /// A connection to the server of the DSN.
    pub fn new(options: &TransportOptions, connection: ConnectionOptions) -> Self {
        let ConnectionOptions { tunnel, trusted } = connection;
        let server = match &tunnel {
            Some(url) => url.split("//").last().and_then(|rest| rest.split('/').next()).unwrap_or_default().to_owned(),
            None => format!("{}:{}", options.dsn.host(), options.dsn.port()),
        };
        let tunnelled = tunnel.is_some().then(|| options.dsn.clone());
        let url = tunnel.unwrap_or_else(|| options.dsn.envelope_api_url().to_string());
        let mut config = http::config(&url, None, Some(CONNECT_TIMEOUT));
        if let Some(trusted) = trusted {
            config = config.tls_config(trusted);
        }
        Self {
            plain_proxy: PlainProxy::of(&url, http::proxy(&url).as_ref()),
            agent: config.build().into(),
            url,
            auth: options.dsn.to_auth(Some(&options.user_agent)).to_string(),
            tunnelled,
            server,
        }
    }

    /// The host and port, for people.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// An envelope as it is sent now.
    pub fn addressed(&self, envelope: Envelope) -> Envelope {
        let headers = envelope.headers().clone().with_sent_at(std::time::SystemTime::now());
        let headers = self.tunnelled.iter().fold(headers, |headers, dsn| headers.with_dsn(dsn.clone()));
        envelope.with_headers(headers)
    }

    /// Sends an envelope.
    ///
    /// # Errors
    /// If there is no answer in time.
    pub fn post(&self, body: &[u8], timeout: Duration) -> Result<Answer, Rejection> {
        if let Some(proxy) = &self.plain_proxy {
            let headers = [("Content-Type", CONTENT_TYPE), ("X-Sentry-Auth", &self.auth)];
            let answer = proxy.post(&self.url, &headers, body, clock::deadline(Instant::now(), timeout));
            let answer = answer.map_err(|error| Rejection::Unreachable(format!("by its proxy: {error}")))?;
            return Ok(Answer::of(answer.status, |name| answer.header(name)));
        }
        let request = self.agent.post(&self.url).config().timeout_global(Some(timeout)).build();
        let request = request.header("X-Sentry-Auth", &self.auth).content_type(CONTENT_TYPE);
        let mut response = request.send(body).map_err(|error| rejection(&error, timeout))?;
        let answer = Answer::of(response.status().as_u16(), |name| http::header(response.headers(), name));
        // A connection is reused only after its response has been read.
        let _ = response.body_mut().with_config().limit(MAX_RESPONSE).read_to_vec();
        Ok(answer)
    }
}

fn rejection(error: &Error, timeout: Duration) -> Rejection {
    match error {
        Error::Timeout(Timeout::Connect | Timeout::Resolve) => {
            Rejection::Unreachable(format!("no connection within {}s", CONNECT_TIMEOUT.as_secs()))
        }
        Error::Timeout(_) => Rejection::Unreachable(format!("no answer within {}", rounded(timeout))),
        other => {
            let words = other.to_string();
            match words.split_once("invalid peer certificate: ") {
                Some((_, why)) => Rejection::Certificate(why.to_owned()),
                None => Rejection::Unreachable(words),
            }
        }
    }
}
