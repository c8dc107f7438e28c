//! The context of a request or message.

use crate::context::propagation;
use crate::context::scope::LogContext;

/// The context of a request that a server handles, or of a message of a queue: the correlation id and the trace of its headers, in upper or
/// lower case, as [`context_headers`](crate::context_headers) of another program or any W3C trace context has set them. A request
/// without a valid id gets a new one; without a valid `traceparent`, annotated functions inside begin a trace.
///
/// It takes what iterates over names and values: an `http::HeaderMap` (axum, hyper, tower, reqwest), or a map of strings, such as the
/// attributes of Pub/Sub. Several headers `tracestate` count as one; of several headers `traceparent` none counts.
///
/// ```
/// use std::collections::HashMap;
///
/// let attributes = HashMap::from([("x-correlation-id", "run-7")]);
/// obs_runtime::extract(&attributes).scope(|| {
///     assert_eq!(obs_runtime::correlation_id().as_deref(), Some("run-7"));
/// });
/// ```
pub fn extract<N: AsRef<str>, V: AsRef<[u8]>>(headers: impl IntoIterator<Item = (N, V)>) -> LogContext {
    let mut found: [Vec<String>; 4] = Default::default();
    for (name, value) in headers {
        let index = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name.as_ref()));
        let value = std::str::from_utf8(value.as_ref()).ok();
        if let Some((values, value)) = index.and_then(|index| found.get_mut(index)).zip(value) {
            values.push(value.to_owned());
        }
    }
    let [ids, traces, states, baggage] = found;
    let once = |values: Vec<String>| <[String; 1]>::try_from(values).ok().map(|[value]| value);
    let list = |values: Vec<String>| (!values.is_empty()).then(|| values.join(","));
    let values = [once(ids), once(traces), list(states), list(baggage)];
    LogContext::of_request(|name| {
        let index = NAMES.iter().position(|known| *known == name)?;
        values.get(index)?.as_deref()
    })
}

const NAMES: [&str; 4] =
    [propagation::ID_HEADER, propagation::TRACE_HEADER, propagation::STATE_HEADER, propagation::BAGGAGE_HEADER];
