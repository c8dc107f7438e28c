//! The context of a request or message.

use crate::context::propagation;
use crate::context::scope::LogContext;
use crate::context::sentry_trace;

/// The context of a request that a server handles, or of a message of a queue: the correlation id and the trace of its headers, in upper or
/// lower case, as [`context_headers`](crate::context_headers) of another program, any W3C trace context or an SDK of Sentry has set them. A
/// request without a valid id gets a new one; without a valid `traceparent` or `sentry-trace`, annotated functions inside begin a trace.
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
    let mut found: [Vec<String>; NAMES.len()] = Default::default();
    for (name, value) in headers {
        let index = NAMES.iter().position(|known| known.eq_ignore_ascii_case(name.as_ref()));
        let value = std::str::from_utf8(value.as_ref()).ok();
        if let Some((values, value)) = index.and_then(|index| found.get_mut(index)).zip(value) {
            values.push(value.to_owned());
        }
    }
    let [ids, traces, states, baggage, of_sentry] = found;
    let once = |values: Vec<String>| <[String; 1]>::try_from(values).ok().map(|[value]| value);
    let list = |values: Vec<String>| (!values.is_empty()).then(|| values.join(","));
    let values = [once(ids), once(traces), list(states), list(baggage), once(of_sentry)];
    LogContext::of_request(|name| {
        let index = NAMES.iter().position(|known| *known == name)?;
        values.get(index)?.as_deref()
    })
}

/// What [`LogContext::of_request`] asks for.
const NAMES: [&str; 5] = [
    propagation::ID_HEADER,
    propagation::TRACE_HEADER,
    propagation::STATE_HEADER,
    propagation::BAGGAGE_HEADER,
    sentry_trace::TRACE_HEADER,
];

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn all_headers_of_a_context_are_extracted() {
        let asked = RefCell::new(BTreeSet::new());
        // The values of one propagator, so that those of the other are asked for too.
        for (name, value) in [
            (propagation::TRACE_HEADER, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
            (sentry_trace::TRACE_HEADER, "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1"),
        ] {
            let context = LogContext::of_request(|known| {
                asked.borrow_mut().insert(known.to_owned());
                (known == name).then_some(value)
            });
            let extracted = extract([(name.to_uppercase(), value)]);
            let trace = |context: &LogContext| context.0.trace().map(|trace| trace.trace_id().to_string());
            assert_eq!(trace(&extracted), trace(&context), "{name}");
            assert_eq!(trace(&extracted).as_deref(), Some("4bf92f3577b34da6a3ce929d0e0e4736"), "{name}");
        }
        assert!(asked.borrow().iter().all(|name| NAMES.contains(&&**name)), "{asked:?}");
    }
}
