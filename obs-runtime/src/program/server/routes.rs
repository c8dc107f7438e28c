//! The routes of the HTTP server.

use std::future::Future;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;

use flate2::Compression;
use flate2::write::GzEncoder;
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    ACCEPT, ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderName, HeaderValue, VARY,
};
use hyper::{Method, StatusCode};

use crate::checks::health::http::health_response;
use crate::exporters::prometheus::format::Format;
use crate::program::server::{identity, negotiation};

/// The content type of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

/// Shorter bodies are not compressed.
const MIN_COMPRESSED: usize = 1024;

enum Handler {
    /// Returns at once.
    Sync(Box<dyn Fn(Accepted) -> Response + Send + Sync>),
    /// Takes the path with its query, and the `Accept` header.
    Async(fn(String, String) -> ResponseFuture),
}

type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The paths of health checks.
const HEALTH: [&str; 4] = ["/livez", "/readyz", "/startupz", "/healthz"];

/// What a request accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Accepted {
    pub format: Format,
    gzip: bool,
}

impl Accepted {
    fn of(request: &hyper::Request<Incoming>) -> Self {
        let [types, encodings] = [ACCEPT, ACCEPT_ENCODING].map(|name| header(request, name));
        Self { format: negotiation::format(&types), gzip: negotiation::gzip(&encodings) }
    }
}

fn header(request: &hyper::Request<Incoming>, name: HeaderName) -> String {
    let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// Paths and their handlers.
#[derive(Default)]
pub struct Routes(Vec<(&'static str, Handler)>);

impl Routes {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a handler for GET and HEAD. It runs on the server's thread, so it must not block. A panic becomes status 500.
    #[must_use]
    pub fn get(mut self, path: &'static str, handler: impl Fn(Accepted) -> Response + Send + Sync + 'static) -> Self {
        self.0.push((path, Handler::Sync(Box::new(handler))));
        self
    }

    /// Adds `/metrics`, in the format that the client prefers.
    #[must_use]
    pub fn metrics(self, render: impl Fn(Format) -> String + Send + Sync + 'static) -> Self {
        self.get("/metrics", move |accepted| {
            Response::text(render(accepted.format)).content_type(accepted.format.content_type())
        })
    }

    /// Adds `/livez`, `/readyz`, `/startupz` and `/healthz`.
    #[must_use]
    pub fn health(mut self) -> Self {
        self.0.extend(HEALTH.map(|path| (path, Handler::Async(|target, accept| Box::pin(health(target, accept))))));
        self
    }

    /// Handles a request.
    pub(super) fn respond(
        &self,
        request: &hyper::Request<Incoming>,
    ) -> impl Future<Output = hyper::Response<Full<Bytes>>> + Send + use<> {
        let accepted = Accepted::of(request);
        let found = self.find(request);
        async move {
            match found {
                Match::Ready(response) => response.into_http(accepted),
                Match::Pending(response) => response.await.into_http(accepted),
                Match::WrongMethod => {
                    let mut refusal = Response::text("GET or HEAD only\n").status(405).into_http(accepted);
                    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                    refusal
                }
            }
        }
    }

    fn find(&self, request: &hyper::Request<Incoming>) -> Match {
        let path = request.uri().path();
        let Some((_, handler)) = self.0.iter().find(|(known, _)| *known == path) else {
            let paths: Vec<_> = self.0.iter().map(|(path, _)| *path).collect();
            return Match::Ready(
                Response::text(format!("not found; the paths are {}\n", paths.join(", "))).status(404),
            );
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Match::WrongMethod;
        }
        match handler {
            Handler::Sync(handler) => Match::Ready(
                catch_unwind(AssertUnwindSafe(|| handler(Accepted::of(request))))
                    .unwrap_or_else(|_| Response::text("the handler panicked\n").status(500)),
            ),
            Handler::Async(handler) => {
                let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                Match::Pending(handler(target, header(request, ACCEPT)))
            }
        }
    }
}

enum Match {
    Ready(Response),
    Pending(ResponseFuture),
    WrongMethod,
}

async fn health(target: String, accept: String) -> Response {
    let Some(response) = health_response(&target, &accept).await else {
        return Response::text("not found\n").status(404);
    };
    Response::text(response.body).status(response.status).content_type(response.content_type).uncached()
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.0.iter().map(|(path, _)| path)).finish()
    }
}

/// A response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    status: u16,
    content_type: &'static str,
    body: Bytes,
    caching: Option<&'static str>,
}

impl Response {
    /// Status 200 with plain text.
    #[must_use]
    pub fn text(body: impl Into<String>) -> Self {
        Self { status: 200, content_type: PLAIN, body: Bytes::from(body.into()), caching: None }
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
    pub const fn uncached(mut self) -> Self {
        self.caching = Some("no-store");
        self
    }

    fn into_http(self, accepted: Accepted) -> hyper::Response<Full<Bytes>> {
        let compressed = if accepted.gzip && self.body.len() >= MIN_COMPRESSED { gzip(&self.body) } else { None };
        let encoding = compressed.is_some().then_some("gzip");
        let mut response = hyper::Response::new(Full::new(compressed.unwrap_or(self.body)));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = [
            (CONTENT_TYPE, Some(self.content_type)),
            (CONTENT_ENCODING, encoding),
            (CACHE_CONTROL, self.caching),
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
    // Writing to memory cannot fail.
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
