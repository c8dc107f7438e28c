//! Propagation of the context between processes, by environment variables and HTTP headers.

use std::fmt;
use std::sync::Arc;

use crate::base::trace_context::TraceContext;
use crate::context::current::Context;
use crate::context::remote_parent::RemoteParent;
use crate::context::scope::{LogContext, new_correlation_id};
use crate::events::active_span;

/// The names that the W3C recommendation gives to the variable and the header.
pub const TRACE_VARIABLE: &str = "TRACEPARENT";
pub const TRACE_HEADER: &str = "traceparent";

pub const ID_VARIABLE: &str = "OBS_CORRELATION_ID";
pub const ID_HEADER: &str = "x-correlation-id";

/// Maximum length of a correlation id from another process, in bytes.
const MAX_ID: usize = 128;

impl Context {
    /// Continues the trace of another process with a span of its own.
    fn continue_trace(&mut self, parent: TraceContext) {
        self.set_extension(Arc::new(RemoteParent(parent)));
        self.set_trace(parent.next());
    }
}

/// The correlation id, if another process would accept it, and the trace for another process. What is missing is created, and kept
/// by the scope around; outside of any scope, nothing is kept.
pub fn outgoing() -> (Option<String>, TraceContext) {
    let mut context = Context::current();
    if context.correlation_id().is_none() {
        context.set_correlation_id(&new_correlation_id());
    }
    let trace = active_span::trace().unwrap_or_else(|| {
        let trace = context.trace().unwrap_or_else(|| TraceContext::begin(context.correlation_id()));
        context.set_trace(trace);
        trace
    });
    let id = context.correlation_id().and_then(valid_id).map(str::to_owned);
    Context::change_current(|current| *current = context);
    (id, trace)
}

impl LogContext {
    /// The current context with the correlation id and a new span in the trace of a request. `header` returns the value of a header by its
    /// lower-case name.
    ///
    /// A value that is missing or invalid is kept from the current context. A valid correlation id consists of 1 to 128
    /// visible ASCII characters; a valid `traceparent` follows the W3C recommendation.
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
        if let Some(id) = header(ID_HEADER).and_then(valid_id) {
            context.set_correlation_id(id);
        }
        if let Some(trace) = header(TRACE_HEADER).and_then(TraceContext::parse) {
            context.continue_trace(trace);
        }
        Self(context)
    }
}

impl LogContext {
    /// The context of a request that a server handles: as [`from_headers`](Self::from_headers), with a new correlation id if the request
    /// has none.
    ///
    /// ```
    /// use obs_runtime::{LogContext, correlation_id};
    ///
    /// assert!(LogContext::of_request(|_| None).scope(correlation_id).is_some());
    /// ```
    pub fn of_request<'a>(header: impl Fn(&str) -> Option<&'a str>) -> Self {
        let has_id = header(ID_HEADER).and_then(valid_id).is_some();
        let context = Self::from_headers(header);
        if has_id { context } else { context.correlation_id(new_correlation_id()) }
    }
}

/// The context that the environment passes to this process.
#[derive(Debug, Default)]
pub struct InheritedContext {
    /// The context, if any variable is set.
    pub context: Option<Context>,
    /// Variables that are ignored because they are invalid.
    pub problems: Vec<InvalidVariable>,
}

/// A variable with an invalid value. It is ignored with a warning, as the program can run without it.
#[derive(Debug, PartialEq, Eq)]
pub struct InvalidVariable {
    variable: &'static str,
    allowed: &'static str,
}

impl fmt::Display for InvalidVariable {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { variable, allowed } = self;
        write!(formatter, "ignoring {variable}: its value is not {allowed}")
    }
}

impl InheritedContext {
    /// Reads `OBS_CORRELATION_ID` and `TRACEPARENT`. An empty value counts as not set.
    pub fn from_environment(variable: impl Fn(&str) -> Option<std::ffi::OsString>) -> Self {
        let mut inherited = Self::default();
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let mut context = Context::default();
        if let Some(id) = set(ID_VARIABLE) {
            match id.to_str().and_then(valid_id) {
                Some(id) => context.set_correlation_id(id),
                None => inherited.ignore(ID_VARIABLE, "1 to 128 visible ASCII characters"),
            }
        }
        if let Some(trace) = set(TRACE_VARIABLE) {
            match trace.to_str().and_then(TraceContext::parse) {
                Some(trace) => context.continue_trace(trace),
                None => inherited.ignore(TRACE_VARIABLE, "a traceparent such as 00-<32 digits>-<16 digits>-01"),
            }
        }
        inherited.context = context.0.is_some().then_some(context);
        inherited
    }

    fn ignore(&mut self, variable: &'static str, allowed: &'static str) {
        self.problems.push(InvalidVariable { variable, allowed });
    }
}

/// A correlation id from another process, without surrounding spaces. `None` if it could break a header or a log line.
fn valid_id(id: &str) -> Option<&str> {
    let id = id.trim_matches([' ', '\t']);
    ((1..=MAX_ID).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic())).then_some(id)
}
