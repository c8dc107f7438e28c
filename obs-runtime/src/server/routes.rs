//! What is answered to whom.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, ALLOW, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY};
use hyper::{Method, StatusCode};

use crate::sinks::prometheus::Format;

use super::{identity, negotiation};

/// The content type of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Shorter answers are not worth compressing.
const WORTH_COMPRESSING: usize = 1024;

type Handler = Box<dyn Fn(Asked) -> Response + Send + Sync>;

/// How a client would like its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The format of metrics.
    pub format: Format,
    gzip: bool,
}

impl Asked {
    fn of(request: &hyper::Request<Incoming>) -> Self {
        let header = |name: HeaderName| {
            let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
            values.collect::<Vec<_>>().join(",")
        };
        Self { format: negotiation::format(&header(ACCEPT)), gzip: negotiation::gzip(&header(ACCEPT_ENCODING)) }
    }
}

/// Paths and what answers for them.
#[derive(Default)]
pub struct Routes(Vec<(&'static str, Handler)>);

impl Routes {
    /// No path at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers GET and HEAD of a path. The handler runs on the server's thread, so it must not wait for anything; when it
    /// panics the client gets status 500.
    #[must_use]
    pub fn get(mut self, path: &'static str, handler: impl Fn(Asked) -> Response + Send + Sync + 'static) -> Self {
        self.0.push((path, Box::new(handler)));
        self
    }

    /// Answers `/metrics` in the format that the client likes best.
    #[must_use]
    pub fn metrics(self, render: impl Fn(Format) -> String + Send + Sync + 'static) -> Self {
        self.get("/metrics", move |asked| {
            Response::text(render(asked.format)).content_type(asked.format.content_type())
        })
    }

    pub(super) fn answer(&self, request: &hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
        let asked = Asked::of(request);
        let path = request.uri().path();
        let Some((_, handler)) = self.0.iter().find(|(known, _)| *known == path) else {
            let paths: Vec<_> = self.0.iter().map(|(path, _)| *path).collect();
            return Response::text(format!("not here; there is {}\n", paths.join(", "))).status(404).into_http(asked);
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal = Response::text("GET or HEAD only\n").status(405).into_http(asked);
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        catch_unwind(AssertUnwindSafe(|| handler(asked)))
            .unwrap_or_else(|_| Response::text("the handler panicked\n").status(500))
            .into_http(asked)
    }
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(path, _)| path)).finish()
    }
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    content_type: &'static str,
    body: Bytes,
}

impl Response {
    /// Status 200 with plain text.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: PLAIN, body: Bytes::from(body.into()) }
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

    fn into_http(self, asked: Asked) -> hyper::Response<Full<Bytes>> {
        let compressed = if asked.gzip && self.body.len() >= WORTH_COMPRESSING { gzip(&self.body) } else { None };
        let encoding = compressed.is_some().then_some("gzip");
        let mut response = hyper::Response::new(Full::new(compressed.unwrap_or(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (CONTENT_TYPE, Some(self.content_type)),
            (CONTENT_ENCODING, encoding),
            (VARY, Some("accept, accept-encoding")),
            (HeaderName::from_static(identity::HEADER), Some(identity::instance())),
        ];
        for (name, value) in headers {
            if let Some(value) = value.and_then(|value| HeaderValue::from_str(value).ok()) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}

fn gzip(body: &[u8]) -> Option<Bytes> {
    let mut encoder = GzEncoder::new(Vec::with_capacity(body.len() / 8), Compression::fast());
    // Writing to memory cannot fail; if it did, the answer would go as it is.
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
