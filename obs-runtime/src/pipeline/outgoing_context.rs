//! What leaves of the context to other processes, by environment variables and HTTP headers.

use crate::context::propagation::{self, ID_HEADER, ID_VARIABLE, TRACE_HEADER, TRACE_VARIABLE};
use crate::pipeline::global;

/// The environment variables that propagate the current context to a child process: `OBS_CORRELATION_ID` and `TRACEPARENT`.
/// `init` reads them in the child.
///
/// A missing correlation id or trace is created, and kept by the scope around: that of a [`LogContext`](crate::LogContext), of a command, or of the
/// outermost annotated function. Outside of any scope nothing is kept, and each call returns new ones. A correlation id that the
/// child would not accept (see [`LogContext::from_headers`](crate::LogContext::from_headers)), or that contains a secret or personal
/// data, is left out. The child continues the trace with a span of its own.
///
/// ```
/// # use obs_runtime::LogContext;
/// LogContext::new().correlation_id("run-7").scope(|| {
///     let output = std::process::Command::new("env").envs(obs_runtime::child_env()).output()?;
///     assert!(String::from_utf8_lossy(&output.stdout).contains("OBS_CORRELATION_ID=run-7\n"));
///     Ok::<_, std::io::Error>(())
/// })?;
/// # Ok::<_, std::io::Error>(())
/// ```
#[must_use]
pub fn child_env() -> Vec<(&'static str, String)> {
    outgoing(ID_VARIABLE, TRACE_VARIABLE)
}

/// The HTTP headers that propagate the current context to a server: `x-correlation-id` and `traceparent`. The server reads them
/// with [`LogContext::from_headers`](crate::LogContext::from_headers).
///
/// Missing values are handled as in [`child_env`].
///
/// ```
/// # use obs_runtime::{LogContext, context_headers};
/// let headers = LogContext::new().correlation_id("run-7").scope(context_headers);
/// assert!(headers.contains(&("x-correlation-id", "run-7".to_owned())));
/// ```
#[must_use]
pub fn context_headers() -> Vec<(&'static str, String)> {
    outgoing(ID_HEADER, TRACE_HEADER)
}

fn outgoing(id_name: &'static str, trace_name: &'static str) -> Vec<(&'static str, String)> {
    let (id, trace) = propagation::outgoing();
    let id = id.filter(|id| global::redact(id.clone()) == *id);
    id.map(|id| (id_name, id)).into_iter().chain([(trace_name, trace.to_string())]).collect()
}
