//! What leaves of the context to other processes, by environment variables and HTTP headers.

use crate::context::propagation::{
    self, BAGGAGE_HEADER, BAGGAGE_VARIABLE, ID_HEADER, ID_VARIABLE, Outgoing, STATE_HEADER, STATE_VARIABLE,
    TRACE_HEADER, TRACE_VARIABLE,
};
use crate::exporters::interface::TraceHeader;
use crate::pipeline::global;

/// The environment variables that propagate the current context to a child process: `OBS_CORRELATION_ID` and `TRACEPARENT`, and
/// `TRACESTATE` if the caller's trace came with one. `init` reads them in the child. If Sentry is enabled, `SENTRY_TRACE` and
/// `SENTRY_BAGGAGE` are there for children with an SDK of Sentry.
///
/// `OTEL_PROPAGATORS=tracecontext,baggage` adds `BAGGAGE` with the correlation id, and nothing else; without `tracecontext` in the list
/// no trace is passed on.
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
    outgoing(&[ID_VARIABLE, TRACE_VARIABLE, STATE_VARIABLE, BAGGAGE_VARIABLE], |header| header.variable)
}

/// The HTTP headers that propagate the current context to a server: `x-correlation-id` and `traceparent`, and `tracestate` and
/// `baggage` as in [`child_env`]. The server reads them with [`extract`](crate::extract). The names are in lower case, as gRPC wants them.
/// If Sentry is enabled, `sentry-trace` and further members of `baggage` are there for servers with an SDK of Sentry.
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
    outgoing(&[ID_HEADER, TRACE_HEADER, STATE_HEADER, BAGGAGE_HEADER], |header| header.header)
}

fn outgoing(names: &[&'static str; 4], name: fn(&TraceHeader) -> &'static str) -> Vec<(&'static str, String)> {
    let Outgoing { id, trace, state, parent } = propagation::outgoing();
    let propagators = propagation::propagators();
    let is_clean = |text: &str| global::redact(text.to_owned()) == text;
    let id = id.filter(|id| is_clean(id));
    let state = state.filter(|state| propagators.trace_context && is_clean(state.as_str()));
    let baggage = id.as_deref().filter(|_| propagators.baggage).map(propagation::to_baggage);
    let values = [
        id,
        propagators.trace_context.then(|| trace.to_string()),
        state.map(|state| state.as_str().to_owned()),
        baggage,
    ];
    let mut headers: Vec<_> = names.iter().zip(values).filter_map(|(name, value)| Some((*name, value?))).collect();
    let further = global::pipeline().filter(|_| propagators.trace_context);
    let further = further.map(|pipeline| pipeline.trace_headers(&trace, parent.as_deref())).unwrap_or_default();
    for header in further {
        let name = name(&header);
        // A header that is there already gets further members.
        match headers.iter_mut().find(|(known, _)| *known == name) {
            Some((_, members)) => *members = format!("{members},{}", header.value),
            None => headers.push((name, header.value)),
        }
    }
    headers
}
