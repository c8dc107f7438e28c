//! Propagation of the context between processes, by environment variables and HTTP headers.

use std::fmt::{self, Write as _};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::config::otlp::Propagators;
use crate::config::otlp_parse::percent_decoded;
use crate::context::current::Context;
use crate::context::remote_parent::RemoteParent;
use crate::context::scope::{LogContext, new_correlation_id};
use crate::context::sentry_trace;
use crate::events::active_span;

/// The names that the W3C recommendation gives to the variable and the header.
pub const TRACE_VARIABLE: &str = "TRACEPARENT";
pub const TRACE_HEADER: &str = "traceparent";

pub const STATE_VARIABLE: &str = "TRACESTATE";
pub const STATE_HEADER: &str = "tracestate";

pub const ID_VARIABLE: &str = "OBS_CORRELATION_ID";
pub const ID_HEADER: &str = "x-correlation-id";

pub const BAGGAGE_VARIABLE: &str = "BAGGAGE";
pub const BAGGAGE_HEADER: &str = "baggage";

/// Maximum length of a correlation id from another process, in bytes.
const MAX_ID: usize = 128;

/// The name of the correlation id in baggage.
const ID_IN_BAGGAGE: &str = "obs.correlation_id";

/// What is passed on and accepted: a bit for each propagator.
static PROPAGATORS: AtomicU8 = AtomicU8::new(TRACE_CONTEXT);
const TRACE_CONTEXT: u8 = 1;
const BAGGAGE: u8 = 2;

/// Sets what is passed on and accepted.
fn set_propagators(propagators: Propagators) {
    let Propagators { trace_context, baggage } = propagators;
    let bits = [(trace_context, TRACE_CONTEXT), (baggage, BAGGAGE)];
    let bits = bits.into_iter().filter(|(is_set, _)| *is_set).fold(0, |all, (_, bit)| all | bit);
    PROPAGATORS.store(bits, Ordering::Relaxed);
}

/// What is passed on and accepted.
pub fn propagators() -> Propagators {
    let bits = PROPAGATORS.load(Ordering::Relaxed);
    Propagators { trace_context: bits & TRACE_CONTEXT != 0, baggage: bits & BAGGAGE != 0 }
}

impl Context {
    /// Continues the trace of another process with a span of its own.
    fn continue_trace(&mut self, trace: TraceContext, state: Option<TraceState>, baggage: Option<&str>) {
        let baggage = baggage.and_then(sentry_trace::own_members);
        self.set_extension(Arc::new(RemoteParent { trace, state, baggage }));
        self.set_trace(trace.next());
    }
}

/// What goes to another process.
#[derive(Debug)]
pub struct Outgoing {
    /// The correlation id, if the other process would accept it.
    pub id: Option<String>,
    /// The trace.
    pub trace: TraceContext,
    /// What came with the trace.
    pub state: Option<TraceState>,
    /// The process that has sent the trace to this one, if that did not begin here.
    pub parent: Option<Arc<RemoteParent>>,
}

/// The context for another process. What is missing is created, and kept by the scope around; outside of any scope, nothing is kept.
pub fn outgoing() -> Outgoing {
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
    let state = context.trace_state(&trace);
    let parent = context.extension::<RemoteParent>().filter(|parent| parent.trace.is_of_same_trace(&trace));
    Context::change_current(|current| *current = context);
    Outgoing { id, trace, state, parent }
}

/// The correlation id as baggage.
pub fn to_baggage(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\",;\\%".contains(&byte);
    let mut baggage = format!("{ID_IN_BAGGAGE}=");
    for byte in id.bytes() {
        if is_plain(byte) {
            baggage.push(char::from(byte));
        } else {
            // Writing to memory does not fail.
            let _ = write!(baggage, "%{byte:02X}");
        }
    }
    baggage
}

/// The correlation id in baggage. Its other members are ignored.
fn id_of_baggage(baggage: &str) -> Option<String> {
    let member = baggage.split(',').find_map(|member| {
        let (name, value) = member.split(';').next()?.split_once('=')?;
        (name.trim() == ID_IN_BAGGAGE).then_some(value)
    });
    let id = percent_decoded(member?.trim())?;
    valid_id(&id).map(str::to_owned)
}

impl LogContext {
    /// The current context with the correlation id and a new span in the trace of a request. `header` returns the value of a header by its
    /// lower-case name.
    ///
    /// A value that is missing or invalid is kept from the current context. A valid correlation id consists of 1 to 128
    /// visible ASCII characters; a valid `traceparent` follows the W3C recommendation. `tracestate` is passed on as it came. With
    /// `OTEL_PROPAGATORS=tracecontext,baggage`, a request without `x-correlation-id` has that of its `baggage`. Without a `traceparent`,
    /// Sentry's `sentry-trace` is read. What `baggage` has for Sentry is passed on.
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
        let propagators = propagators();
        if let Some(id) = incoming_id(&header, propagators) {
            context.set_correlation_id(&id);
        }
        let of_w3c = header(TRACE_HEADER).filter(|_| propagators.trace_context).and_then(TraceContext::parse);
        let of_sentry = || header(sentry_trace::TRACE_HEADER).and_then(sentry_trace::parse);
        if let Some(trace) = of_w3c.or_else(of_sentry) {
            let state = of_w3c.and_then(|_| header(STATE_HEADER)).and_then(TraceState::parse);
            context.continue_trace(trace, state, header(sentry_trace::BAGGAGE_HEADER));
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
        let has_id = incoming_id(&header, propagators()).is_some();
        let context = Self::from_headers(header);
        if has_id { context } else { context.correlation_id(new_correlation_id()) }
    }
}

fn incoming_id<'a>(header: impl Fn(&str) -> Option<&'a str>, propagators: Propagators) -> Option<String> {
    let of_baggage = || header(BAGGAGE_HEADER).filter(|_| propagators.baggage).and_then(id_of_baggage);
    header(ID_HEADER).and_then(valid_id).map(str::to_owned).or_else(of_baggage)
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
    /// Sets what is passed on and accepted, and reads the environment of this process, if the program wants that.
    pub fn of_process(reads_environment: bool, propagators: Propagators) -> Self {
        set_propagators(propagators);
        if reads_environment {
            Self::from_environment(|name| std::env::var_os(name), propagators)
        } else {
            Self::default()
        }
    }

    /// Reads `OBS_CORRELATION_ID`, `TRACEPARENT` and `TRACESTATE`, or `SENTRY_TRACE` and `SENTRY_BAGGAGE`, and `BAGGAGE` if it is asked
    /// for. An empty value counts as not set.
    pub fn from_environment(variable: impl Fn(&str) -> Option<std::ffi::OsString>, propagators: Propagators) -> Self {
        let mut inherited = Self::default();
        let set = |name| variable(name).filter(|value| !value.is_empty());
        let mut context = Context::default();
        if let Some(id) = set(ID_VARIABLE) {
            match id.to_str().and_then(valid_id) {
                Some(id) => context.set_correlation_id(id),
                None => inherited.ignore(ID_VARIABLE, "1 to 128 visible ASCII characters"),
            }
        } else if let Some(baggage) = set(BAGGAGE_VARIABLE).filter(|_| propagators.baggage)
            && let Some(id) = baggage.to_str().and_then(id_of_baggage)
        {
            context.set_correlation_id(&id);
        }
        let baggage = set(sentry_trace::BAGGAGE_VARIABLE);
        let baggage = baggage.as_ref().and_then(|baggage| baggage.to_str());
        if let Some(trace) = set(TRACE_VARIABLE).filter(|_| propagators.trace_context) {
            match trace.to_str().and_then(TraceContext::parse) {
                Some(trace) => {
                    let state = set(STATE_VARIABLE);
                    let state = state.as_ref().and_then(|state| TraceState::parse(state.to_str()?));
                    context.continue_trace(trace, state, baggage);
                }
                None => inherited.ignore(TRACE_VARIABLE, "a traceparent such as 00-<32 digits>-<16 digits>-01"),
            }
        } else if let Some(trace) = set(sentry_trace::TRACE_VARIABLE) {
            match trace.to_str().and_then(sentry_trace::parse) {
                Some(trace) => context.continue_trace(trace, None, baggage),
                None => {
                    inherited.ignore(sentry_trace::TRACE_VARIABLE, "a sentry-trace such as <32 digits>-<16 digits>-1");
                }
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
