//! Requests that a server handles: each in a context of its own, and measured as an operation.

use std::borrow::Cow;
use std::fmt;
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{self, Poll};

use pin_project_lite::pin_project;

use crate::context::in_context::InContext;
use crate::context::scope::LogContext;
use crate::events::active_span::{self, Active};
use crate::events::failure::Failure;
use crate::instrument::call::tracked_call::Call;
use crate::instrument::performance::{Tracked, boxed, finish_judged};

/// Decides whether a response is a failure.
pub(crate) type Judge<T> = fn(&T, &mut Call) -> bool;
type End<T> = fn(&mut Call, Judge<T>, &T);

pin_project! {
    /// The future of a request that is handled.
    pub struct RequestFuture<F, T> {
        #[pin]
        inner: InContext<Tracked<F, Judge<T>, End<T>, Option<Box<Call>>>>,
    }
}

impl<F: Future<Output = T>, T> RequestFuture<F, T> {
    /// Runs `start` in the context of a request, and the future that it returns.
    pub(crate) fn new(
        operation: Cow<'static, str>,
        context: LogContext,
        place: &'static Location<'static>,
        start: impl FnOnce() -> F,
        judge: Judge<T>,
    ) -> Self {
        let context = context.operation(operation.clone());
        let tracked = context.clone().scope(|| {
            let _boundary = Active::request_boundary().map(active_span::enter);
            let call = Call::manual(operation, false, place).and_then(boxed);
            let end: End<T> = |call, judge, value| finish_judged(call, judge, value);
            Tracked::new(call, start(), judge, end)
        });
        Self { inner: context.in_future(tracked) }
    }
}

impl<F: Future<Output = T>, T> Future for RequestFuture<F, T> {
    type Output = T;

    fn poll(self: Pin<&mut Self>, task: &mut task::Context<'_>) -> Poll<T> {
        self.project().inner.poll(task)
    }
}

impl<F, T> fmt::Debug for RequestFuture<F, T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RequestFuture").finish_non_exhaustive()
    }
}

/// A server failed to handle a request.
#[derive(Debug)]
struct ServerError(u16, &'static str);

static SERVER_ERRORS: [ServerError; 5] = [
    ServerError(500, "http_500"),
    ServerError(501, "http_501"),
    ServerError(502, "http_502"),
    ServerError(503, "http_503"),
    ServerError(504, "http_504"),
];
static OTHER: ServerError = ServerError(599, "http_5xx");

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            599 => formatter.write_str("the response has a status of a server error"),
            status => write!(formatter, "the response has the status {status}"),
        }
    }
}

impl std::error::Error for ServerError {}

/// Ends a call by the status of a response: one from 500 on is a failure. Returns whether it is one.
pub(crate) fn judge_status(status: u16, call: &mut Call) -> bool {
    call.judged((status >= 500).then(|| {
        let error = SERVER_ERRORS.iter().find(|error| error.0 == status).unwrap_or(&OTHER);
        Failure::error(error).with_kind(Some(error.1))
    }))
}

/// A response, for [`track_request`].
pub trait RequestOutcome {
    /// The HTTP status; `None` if there is no response.
    fn status(&self) -> Option<u16>;
}

impl RequestOutcome for u16 {
    fn status(&self) -> Option<u16> {
        Some(*self)
    }
}

impl<T: RequestOutcome, E> RequestOutcome for Result<T, E> {
    fn status(&self) -> Option<u16> {
        self.as_ref().ok()?.status()
    }
}

/// Handles a request in a context of its own, and measures it as an operation (`operation.*`), for servers without a layer of obs. The
/// outcome is `error` for a status from 500 on and for `Err`, and `cancelled` if the client goes away and the server drops the
/// future.
///
/// `operation` names the route, not the path: each value is a series. [`LogContext::of_request`] reads the headers.
///
/// ```
/// use obs_runtime::{LogContext, correlation_id, track_request};
///
/// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
/// let header = |name: &str| (name == "x-correlation-id").then_some("run-7");
/// let response = track_request("GET /users/{id}", LogContext::of_request(header).user("ada"), async {
///     assert_eq!(correlation_id().as_deref(), Some("run-7"));
///     200
/// });
/// assert_eq!(runtime.block_on(response), 200);
/// ```
#[track_caller]
pub fn track_request<F: Future<Output: RequestOutcome>>(
    operation: impl Into<Cow<'static, str>>,
    context: LogContext,
    future: F,
) -> RequestFuture<F, F::Output> {
    let judge: Judge<F::Output> = |outcome, call| judge_status(outcome.status().unwrap_or(500), call);
    RequestFuture::new(operation.into(), context, Location::caller(), || future, judge)
}
