//! What is answered to whom.

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

/// Shorter answers are not worth compressing.
const WORTH_COMPRESSING: usize = 1024;

enum Handler {
    /// Answers at once.
    Now(Box<dyn Fn(Asked) -> Response + Send + Sync>),
    /// Answers when it can, given the path with its query and what the client accepts.
    Later(fn(String, String) -> Later),
}

type Later = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The paths of health.
const HEALTH: [&str; 4] = ["/livez", "/readyz", "/startupz", "/healthz"];

/// How a client would like its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked {
    /// The format of metrics.
    pub format: Format,
    gzip: bool,
}

impl Asked {
    fn of(request: &hyper::Request<Incoming>) -> Self {
        let [accepted, encodings] = [ACCEPT, ACCEPT_ENCODING].map(|name| header(request, name));
        Self { format: negotiation::format(&accepted), gzip: negotiation::gzip(&encodings) }
    }
}

fn header(request: &hyper::Request<Incoming>, name: HeaderName) -> String {
    let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
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
        self.0.push((path, Handler::Now(Box::new(handler))));
        self
    }

    /// Answers `/metrics` in the format that the client likes best.
    #[must_use]
    pub fn metrics(self, render: impl Fn(Format) -> String + Send + Sync + 'static) -> Self {
        self.get("/metrics", move |asked| {
            Response::text(render(asked.format)).content_type(asked.format.content_type())
        })
    }

    /// Answers `/livez`, `/readyz`, `/startupz` and `/healthz`.
    #[must_use]
    pub fn health(mut self) -> Self {
        self.0.extend(HEALTH.map(|path| (path, Handler::Later(|asked, accepted| Box::pin(health(asked, accepted))))));
        self
    }

    /// The answer, once it is there: waiting for it holds nobody else up.
    pub(super) fn answer(
        &self,
        request: &hyper::Request<Incoming>,
    ) -> impl Future<Output = hyper::Response<Full<Bytes>>> + Send + use<> {
        let asked = Asked::of(request);
        let found = self.find(request);
        async move {
            match found {
                Found::Now(response) => response.into_http(asked),
                Found::Later(response) => response.await.into_http(asked),
                Found::Refusal => {
                    let mut refusal = Response::text("GET or HEAD only\n").status(405).into_http(asked);
                    refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
                    refusal
                }
            }
        }
    }

    fn find(&self, request: &hyper::Request<Incoming>) -> Found {
        let path = request.uri().path();
        let Some((_, handler)) = self.0.iter().find(|(known, _)| *known == path) else {
            let paths: Vec<_> = self.0.iter().map(|(path, _)| *path).collect();
            return Found::Now(Response::text(format!("not here; there is {}\n", paths.join(", "))).status(404));
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Found::Refusal;
        }
        match handler {
            Handler::Now(handler) => Found::Now(
                catch_unwind(AssertUnwindSafe(|| handler(Asked::of(request))))
                    .unwrap_or_else(|_| Response::text("the handler panicked\n").status(500)),
            ),
            Handler::Later(handler) => {
                let asked = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                Found::Later(handler(asked, header(request, ACCEPT)))
            }
        }
    }
}

enum Found {
    Now(Response),
    Later(Later),
    Refusal,
}

async fn health(asked: String, accepted: String) -> Response {
    let Some(answer) = health_response(&asked, &accepted).await else {
        return Response::text("not here\n").status(404);
    };
    Response::text(answer.body).status(answer.status).content_type(answer.content_type).not_to_be_stored()
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

    /// Nobody on the way may keep it.
    #[must_use]
    pub const fn not_to_be_stored(mut self) -> Self {
        self.caching = Some("no-store");
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
    // Writing to memory cannot fail; if it did, the answer would go as it is.
    encoder.write_all(body).ok()?;
    encoder.finish().ok().map(Bytes::from)
}
