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
struct ServerError {
    kind: &'static str,
    text: &'static str,
}

impl fmt::Display for ServerError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.text)
    }
}

impl std::error::Error for ServerError {}

/// The failure of a server with this HTTP status.
const fn of_http(status: u16) -> Option<&'static ServerError> {
    Some(match status {
        0..500 => return None,
        500 => &ServerError { kind: "http_500", text: "the response has the status 500" },
        501 => &ServerError { kind: "http_501", text: "the response has the status 501" },
        502 => &ServerError { kind: "http_502", text: "the response has the status 502" },
        503 => &ServerError { kind: "http_503", text: "the response has the status 503" },
        504 => &ServerError { kind: "http_504", text: "the response has the status 504" },
        505.. => &ServerError { kind: "http_5xx", text: "the response has a status of a server error" },
    })
}

/// The failure of a server with this status of gRPC: one that OpenTelemetry counts as an error of servers.
#[cfg(feature = "tower")]
fn of_grpc(status: &str) -> Option<&'static ServerError> {
    Some(match status {
        "2" => &ServerError { kind: "grpc_unknown", text: "the response has the status UNKNOWN" },
        "4" => &ServerError { kind: "grpc_deadline_exceeded", text: "the response has the status DEADLINE_EXCEEDED" },
        "12" => &ServerError { kind: "grpc_unimplemented", text: "the response has the status UNIMPLEMENTED" },
        "13" => &ServerError { kind: "grpc_internal", text: "the response has the status INTERNAL" },
        "14" => &ServerError { kind: "grpc_unavailable", text: "the response has the status UNAVAILABLE" },
        "15" => &ServerError { kind: "grpc_data_loss", text: "the response has the status DATA_LOSS" },
        _ => return None,
    })
}

/// Ends a call by the status of a response: one from 500 on is a failure. Returns whether it is one.
pub(crate) fn judge_status(status: u16, call: &mut Call) -> bool {
    judge(of_http(status), call)
}

/// Ends a call by the status of a response, and by that of gRPC, which is a header if the response has no message.
#[cfg(feature = "tower")]
pub(crate) fn judge_statuses(status: u16, grpc: Option<&str>, call: &mut Call) -> bool {
    judge(of_http(status).or_else(|| of_grpc(grpc?)), call)
}

fn judge(error: Option<&'static ServerError>, call: &mut Call) -> bool {
    call.judged(error.map(|error| Failure::error(error).with_kind(Some(error.kind))))
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

/// A status, and the response of a server whose type is not the program's.
impl<T> RequestOutcome for (u16, T) {
    fn status(&self) -> Option<u16> {
        Some(self.0)
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
/// `operation` names the route, not the path: each value is a series. [`LogContext::of_request`] reads the headers. A future of another
/// crate's response is mapped to `(status, response)`.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_mistakes_of_the_server_are_failures() {
        let kind = |error: Option<&ServerError>| error.map(|error| error.kind);
        assert_eq!([200, 404, 499].map(|status| kind(of_http(status))), [None; 3]);
        let kinds = [500, 503, 507, 599].map(|status| kind(of_http(status)));
        assert_eq!(kinds, ["http_500", "http_503", "http_5xx", "http_5xx"].map(Some));
        assert_eq!((Ok::<_, ()>((204, "body")).status(), Err::<u16, _>("refused").status()), (Some(204), None));
    }

    #[cfg(feature = "tower")]
    #[test]
    fn statuses_of_grpc_are_failures_as_opentelemetry_counts_them() {
        let failures: Vec<_> = (0..=17).filter(|code: &u32| of_grpc(&code.to_string()).is_some()).collect();
        assert_eq!(failures, [2, 4, 12, 13, 14, 15]);
        assert!(of_grpc("").is_none() && of_grpc("thirteen").is_none());
    }
}
