//! Requests of servers that are built with `tower`: axum, tonic, hyper.

use std::borrow::Cow;
use std::fmt;
use std::panic::Location;
use std::sync::Arc;
use std::task::{self, Poll};

use http1::request::Parts;
use http1::{Request, Response};
use tower_layer::Layer;
use tower_service::Service;

use crate::context::scope::LogContext;
use crate::events::user::User;
use crate::instrument::request::{Judge, RequestFuture, judge_status, judge_statuses};

/// Handles each request in a context of its own, and measures it as an operation (`operation.*`).
///
/// - The correlation id and the trace are those of the headers `x-correlation-id` and `traceparent`; a request without an id gets a
///   new one.
/// - The operation is the method and the [`route`](Self::route): `GET /users/{id}`. Without a route it is the method.
/// - The outcome is `error` for a status from 500 on and for an error of the service, `cancelled` if the client goes away, and `ok`
///   otherwise. With gRPC, whose errors have the HTTP status 200, it is `error` for `UNKNOWN`, `DEADLINE_EXCEEDED`, `UNIMPLEMENTED`,
///   `INTERNAL`, `UNAVAILABLE` and `DATA_LOSS`. Its route is the path: `.route(|request| Some(request.uri.path().to_owned()))` in a
///   layer of the service, which gets known paths only.
///
/// Put it outside of layers whose lines belong to the request, such as tower-http's `TraceLayer`. The context covers the handler up to
/// its response; a body that is streamed later is outside of it.
///
/// The traits are those of `tower` 0.5 and `http` 1. They are exempt from semver: obs may move to another version of `tower`, which is
/// below 1.0, in a minor release.
///
/// ```
/// use axum::extract::MatchedPath;
/// use obs_runtime::ContextLayer;
///
/// let layer = ContextLayer::new()
///     .route(|request| Some(request.extensions.get::<MatchedPath>()?.as_str().to_owned()))
///     .user(|request| Some(request.headers.get("x-user")?.to_str().ok()?.into()));
/// let app: axum::Router = axum::Router::new().route("/users/{id}", axum::routing::get(|| async {})).layer(layer);
/// # let _ = app;
/// ```
#[derive(Clone)]
pub struct ContextLayer {
    place: &'static Location<'static>,
    route: Option<Arc<Route>>,
    user: Option<Arc<FindUser>>,
}

type Route = dyn Fn(&Parts) -> Option<String> + Send + Sync;
type FindUser = dyn Fn(&Parts) -> Option<User> + Send + Sync;

impl ContextLayer {
    /// A layer that finds neither routes nor users.
    #[must_use]
    #[track_caller]
    pub fn new() -> Self {
        Self { place: Location::caller(), route: None, user: None }
    }

    /// Finds the route of a request, as the router declares it: `/users/{id}`, not `/users/7`, as each value is a series of metrics.
    #[must_use]
    pub fn route(mut self, route: impl Fn(&Parts) -> Option<String> + Send + Sync + 'static) -> Self {
        self.route = Some(Arc::new(route));
        self
    }

    /// Finds the user of a request, for example in an extension that a layer outside of this one has added.
    #[must_use]
    pub fn user(mut self, user: impl Fn(&Parts) -> Option<User> + Send + Sync + 'static) -> Self {
        self.user = Some(Arc::new(user));
        self
    }

    fn operation(&self, parts: &Parts) -> Cow<'static, str> {
        let route = self.route.as_ref().and_then(|route| route(parts));
        match route {
            Some(route) => format!("{} {route}", parts.method).into(),
            None => parts.method.to_string().into(),
        }
    }

    fn context(&self, parts: &Parts) -> LogContext {
        let header = |name: &str| parts.headers.get(name)?.to_str().ok();
        let context = LogContext::of_request(header);
        match self.user.as_ref().and_then(|user| user(parts)) {
            Some(user) => context.user(user),
            None => context,
        }
    }
}

impl Default for ContextLayer {
    #[track_caller]
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for ContextLayer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = formatter.debug_struct("ContextLayer");
        shown.field("route", &self.route.is_some()).field("user", &self.user.is_some()).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for ContextLayer {
    type Service = ContextService<S>;

    fn layer(&self, inner: S) -> ContextService<S> {
        ContextService { inner, layer: self.clone() }
    }
}

/// The service of a [`ContextLayer`]. Its traits are exempt from semver, as those of the layer.
#[derive(Clone, Debug)]
pub struct ContextService<S> {
    inner: S,
    layer: ContextLayer,
}

impl<S, B, R> Service<Request<B>> for ContextService<S>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = RequestFuture<S::Future, Result<S::Response, S::Error>>;

    fn poll_ready(&mut self, task: &mut task::Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(task)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (parts, body) = request.into_parts();
        let (operation, context) = (self.layer.operation(&parts), self.layer.context(&parts));
        let start = || self.inner.call(Request::from_parts(parts, body));
        let judge: Judge<Result<S::Response, S::Error>> = |outcome, call| match outcome {
            Ok(response) => {
                let grpc = response.headers().get("grpc-status").and_then(|status| status.to_str().ok());
                judge_statuses(response.status().as_u16(), grpc, call)
            }
            Err(_) => judge_status(500, call),
        };
        RequestFuture::new(operation, context, self.layer.place, start, judge)
    }
}
