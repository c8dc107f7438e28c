//! The context from process to process: by the environment of a child, by the headers of a request.

use std::fmt;

use crate::base::trace_context::TraceContext;
use crate::context::current::Context;
use crate::context::scope::{LogContext, new_correlation_id};

/// The variable, and header, that hold the trace. Both are the W3C's.
const TRACE_VARIABLE: &str = "TRACEPARENT";
const TRACE_HEADER: &str = "traceparent";

const ID_VARIABLE: &str = "OBS_CORRELATION_ID";
const ID_HEADER: &str = "x-correlation-id";

/// Longest correlation id that is taken from outside, in bytes.
const LONGEST_ID: usize = 128;

/// The variables that carry the context of this moment into a child process, where `init` reads them back:
/// `OBS_CORRELATION_ID` and `TRACEPARENT`.
///
/// A correlation id and a trace that are not there yet begin here, and belong to the current scope from now on. A
/// correlation id that could not be read back (see [`LogContext::from_headers`]) is left out.
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

/// The headers that carry the context of this moment to the server of a request: `x-correlation-id` and `traceparent`.
///
/// As [`child_env`]; the other side is [`LogContext::from_headers`].
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
    let mut context = Context::current();
    if context.correlation_id().is_none() {
        context.set_correlation_id(&new_correlation_id());
    }
    let trace = context.trace().unwrap_or_else(|| TraceContext::begin(context.correlation_id()));
    context.set_trace(trace);
    let id = context.correlation_id().and_then(acceptable).map(|id| (id_name, id.to_owned()));
    Context::replace(context);
    id.into_iter().chain([(trace_name, trace.to_string())]).collect()
}

impl LogContext {
    /// The current context with the correlation id and the trace that a request brought. `header` looks one up by its
    /// name, in lower case.
    ///
    /// What is not there or not valid stays as it is outside: of a correlation id 1 to 128 visible ASCII characters
    /// are taken, of a `traceparent` what the W3C's recommendation allows.
    ///
    /// ```
    /// use obs_runtime::{LogContext, correlation_id};
    ///
    /// let request = std::collections::HashMap::from([("x-correlation-id", "run-7")]);
    /// LogContext::from_headers(|name| request.get(name).copied()).scope(|| {
    ///     assert_eq!(correlation_id().as_deref(), Some("run-7"));
    /// });
    /// ```
    pub fn from_headers<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let mut context = Context::current();
        if let Some(id) = header(ID_HEADER).and_then(acceptable) {
            context.set_correlation_id(id);
        }
        if let Some(trace) = header(TRACE_HEADER).and_then(TraceContext::parse) {
            context.set_trace(trace);
        }
        Self(context)
    }
}

/// What a process was started on behalf of, as the environment says.
#[derive(Debug, Default)]
pub struct Inherited {
    /// The context of all its code.
    pub context: Option<Context>,
    /// What of it could not be understood, and is left out.
    pub problems: Vec<NotInherited>,
}

/// A variable that does not hold what it should. Telemetry's own linkage is no reason not to run.
#[derive(Debug, PartialEq, Eq)]
pub struct NotInherited {
    variable: &'static str,
    allowed: &'static str,
}

impl fmt::Display for NotInherited {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, allowed } = self;
        write!(formatter, "{variable} is left out: its value is not {allowed}")
    }
}

impl Inherited {
    /// Reads `OBS_CORRELATION_ID` and `TRACEPARENT`; what is empty counts as not set.
    pub fn from_environment(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let mut inherited = Self::default();
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let mut context = Context::default();
        if let Some(id) = set(ID_VARIABLE) {
            match id.to_str().and_then(acceptable) {
                Some(id) => context.set_correlation_id(id),
                None => inherited.leave_out(ID_VARIABLE, "1 to 128 visible ASCII characters"),
            }
        }
        if let Some(trace) = set(TRACE_VARIABLE) {
            match trace.to_str().and_then(TraceContext::parse) {
                Some(trace) => context.set_trace(trace),
                None => inherited.leave_out(TRACE_VARIABLE, "a traceparent, as 00-<32 digits>-<16 digits>-01"),
            }
        }
        inherited.context = context.0.is_some().then_some(context);
        inherited
    }

    fn leave_out(&mut self, variable: &'static str, allowed: &'static str) {
        self.problems.push(NotInherited { variable, allowed });
    }
}

/// A correlation id from outside, without blanks around it; none if it could break a header or a line.
fn acceptable(id: &str) -> Option<&str> {
    let id = id.trim_matches([' ', '\t']);
    ((1..=LONGEST_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
}
