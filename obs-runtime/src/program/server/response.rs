//! Responses, as handlers make them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use hyper::StatusCode;
use hyper::body::Bytes;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONNECTION, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, VARY,
};

use crate::program::server::identity;

/// The content type of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Shorter bodies are not compressed.
const MIN_COMPRESSED: usize = 1024;

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    content_type: &'static str,
    body: Bytes,
    is_compressed: bool,
    headers: Vec<(HeaderName, &'static str)>,
}

impl Response {
    /// Status 200 with plain text.
    #[must_use]
    pub fn text(body: impl Into<Bytes>) -> Self {
        Self { status: 200, content_type: PLAIN, body: body.into(), is_compressed: false, headers: Vec::new() }
    }

    /// Asks the client to come back in a second, on another connection.
    #[must_use]
    pub fn busy() -> Self {
        let mut response = Self::text("too many requests of /metrics at once\n").status(503).closing();
        response.headers.push((RETRY_AFTER, "1"));
        response
    }

    /// Closes the connection after the response.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.headers.push((CONNECTION, "close"));
        self
    }

    /// For a method that is not allowed.
    #[must_use]
    pub fn wrong_method() -> Self {
        let mut response = Self::text("GET or HEAD only\n").status(405);
        response.headers.push((ALLOW, "GET, HEAD"));
        response
    }

    /// With another status.
    #[must_use]
    pub const fn status(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// With another content type.
    #[must_use]
    pub const fn content_type(mut self, content_type: &'static str) -> Self {
        self.content_type = content_type;
        self
    }

    /// Forbids caching.
    #[must_use]
    pub fn uncached(mut self) -> Self {
        self.headers.push((CACHE_CONTROL, "no-store"));
        self
    }

    /// Compresses the body, unless it is short.
    #[must_use]
    pub fn compressed(mut self) -> Self {
        if self.body.len() >= MIN_COMPRESSED
            && !self.is_compressed
            && let Some(compressed) = gzip(&self.body)
        {
            self.body = compressed;
            self.is_compressed = true;
        }
        self
    }

    /// Keeps a value as long as the body: until it is written, or its connection is closed.
    #[must_use]
    pub fn holding(mut self, guard: impl Send + 'static) -> Self {
        self.body = Bytes::from_owner(Held { body: self.body, _guard: guard });
        self
    }

    /// As a response of HTTP.
    pub fn into_http(self) -> hyper::Response<Bytes> {
        let mut response = hyper::Response::new(self.body);
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (CONTENT_TYPE, Some(self.content_type)),
            (CONTENT_ENCODING, self.is_compressed.then_some("gzip")),
            (VARY, Some("accept, accept-encoding")),
            (HeaderName::from_static(identity::HEADER), Some(identity::instance())),
        ];
        let more = self.headers.into_iter().map(|(name, value)| (name, Some(value)));
        for (name, value) in headers.into_iter().chain(more) {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

struct Held<G> {
    body: Bytes,
    _guard: G,
}

impl<G> AsRef<[u8]> for Held<G> {
    fn as_ref(&self) -> &[u8] {
        &self.body
    }
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    // Writing to memory cannot fail.
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
