//! What is answered to whom.

use std::panic::{AssertUnwindSafe, catch_unwind};

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::{Method, StatusCode};

use crate::sinks::prometheus;

/// The content type of plain text.
const PLAIN: &str = "text/plain; charset=utf-8";

type Handler = Box<dyn Fn() -> Response + Send + Sync>;

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
    pub fn get(mut self, path: &'static str, handler: impl Fn() -> Response + Send + Sync + 'static) -> Self {
        self.0.push((path, Box::new(handler)));
        self
    }

    /// Answers `/metrics` with Prometheus' text format.
    #[must_use]
    pub fn metrics(self, render: impl Fn() -> String + Send + Sync + 'static) -> Self {
        self.get("/metrics", move || Response::text(render()).content_type(prometheus::CONTENT_TYPE))
    }

    pub(super) fn answer(&self, request: &hyper::Request<Incoming>) -> hyper::Response<Full<Bytes>> {
        let asked = request.uri().path();
        let Some((_, handler)) = self.0.iter().find(|(path, _)| *path == asked) else {
            let paths: Vec<_> = self.0.iter().map(|(path, _)| *path).collect();
            return Response::text(format!("not here; there is {}\n", paths.join(", "))).status(404).into_http();
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut refusal = Response::text("GET or HEAD only\n").status(405).into_http();
            refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
            return refusal;
        }
        catch_unwind(AssertUnwindSafe(handler))
            .unwrap_or_else(|_| Response::text("the handler panicked\n").status(500))
            .into_http()
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

    fn into_http(self) -> hyper::Response<Full<Bytes>> {
        let mut response = hyper::Response::new(Full::new(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        if let Ok(content_type) = HeaderValue::from_str(self.content_type) {
            response.headers_mut().insert(CONTENT_TYPE, content_type);
        }
        response
    }
}
