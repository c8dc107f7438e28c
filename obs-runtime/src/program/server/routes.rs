//! The routes of the HTTP server.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use hyper::Method;
use hyper::body::{Bytes, Incoming};
use hyper::header::{ACCEPT, ACCEPT_ENCODING, HeaderName};

use crate::checks::health::http::health_response;
use crate::exporters::prometheus::format::Format;
use crate::program::server::host;
use crate::program::server::negotiation;
use crate::program::server::response::Response;
use crate::program::server::scrapes::{Scrapes, Wanted};

enum Handler {
    Scrape(Arc<Scrapes>),
    Health,
}

type ResponseFuture = Pin<Box<dyn Future<Output = Response> + Send>>;

/// The paths of health checks.
const HEALTH: [&str; 4] = ["/livez", "/readyz", "/startupz", "/healthz"];

fn header(request: &hyper::Request<Incoming>, name: HeaderName) -> String {
    let values = request.headers().get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.collect::<Vec<_>>().join(",")
}

/// Paths and their handlers.
#[derive(Default)]
pub struct Routes {
    handlers: Vec<(&'static str, Handler)>,
    /// Whether the server listens on a loopback address, so that requests have to name it.
    is_loopback: bool,
}

impl Routes {
    /// No routes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `/metrics`, in the format that the client prefers. A panic becomes status 500.
    #[must_use]
    pub fn metrics(mut self, render: impl Fn(Format) -> String + Send + Sync + 'static) -> Self {
        self.handlers.push(("/metrics", Handler::Scrape(Scrapes::new(render))));
        self
    }

    /// Adds `/livez`, `/readyz`, `/startupz` and `/healthz`.
    #[must_use]
    pub fn health(mut self) -> Self {
        self.handlers.extend(HEALTH.map(|path| (path, Handler::Health)));
        self
    }

    /// For a server that listens on this address.
    #[must_use]
    pub(super) const fn on(mut self, address: IpAddr) -> Self {
        self.is_loopback = address.is_loopback();
        self
    }

    /// Handles a request. `guard` is kept until the response is written.
    pub(super) fn respond<G: Send + 'static>(
        &self,
        request: &hyper::Request<Incoming>,
        guard: G,
    ) -> impl Future<Output = hyper::Response<Bytes>> + Send + use<G> {
        let response = self.response(request);
        async move { response.await.holding(guard).into_http() }
    }

    fn response(&self, request: &hyper::Request<Incoming>) -> ResponseFuture {
        if let Some(refusal) = host::refusal(request.headers(), self.is_loopback) {
            return Box::pin(async { refusal });
        }
        let path = request.uri().path();
        let Some((_, handler)) = self.handlers.iter().find(|(known, _)| *known == path) else {
            let paths: Vec<_> = self.handlers.iter().map(|(path, _)| *path).collect();
            let refusal = Response::text(format!("not found; the paths are {}\n", paths.join(", "))).status(404);
            return Box::pin(async { refusal });
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            return Box::pin(async { Response::wrong_method() });
        }
        let accept = header(request, ACCEPT);
        let gzip = negotiation::gzip(&header(request, ACCEPT_ENCODING));
        match handler {
            Handler::Scrape(scrapes) => {
                Box::pin(Arc::clone(scrapes).answer(Wanted { format: negotiation::format(&accept), gzip }))
            }
            Handler::Health => {
                let target = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
                Box::pin(async move {
                    let response = health(target, accept).await;
                    if gzip { response.compressed() } else { response }
                })
            }
        }
    }
}

async fn health(target: String, accept: String) -> Response {
    let Some(response) = health_response(&target, &accept).await else {
        return Response::text("not found\n").status(404);
    };
    Response::text(response.body).status(response.status).content_type(response.content_type).uncached()
}

impl std::fmt::Debug for Routes {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_list().entries(self.handlers.iter().map(|(path, _)| path)).finish()
    }
}
