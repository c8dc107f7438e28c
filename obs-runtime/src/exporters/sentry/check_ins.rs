//! Links check-ins to the traces of their runs. sentry's type of a check-in has no contexts, so they are added to what it has written.

use std::cell::RefCell;

use ::sentry::protocol::EnvelopeItem;
use serde_json::{Value as Json, json};

use crate::base::trace_context::TraceContext;

thread_local! {
    /// The ids of the check-ins that this thread sends, and their traces.
    static TRACES: RefCell<Vec<(String, TraceContext)>> = const { RefCell::new(Vec::new()) };
}

/// Has [`with_traces`] know the traces of these items, in `run`.
pub fn in_traces<R>(items: &[EnvelopeItem], traces: &[Option<TraceContext>], run: impl FnOnce() -> R) -> R {
    let known = items.iter().zip(traces).filter_map(|(item, trace)| match item {
        EnvelopeItem::MonitorCheckIn(check_in) => Some((check_in.check_in_id.simple().to_string(), (*trace)?)),
        _ => None,
    });
    TRACES.set(known.collect());
    let result = run();
    TRACES.take();
    result
}

/// The envelope with the traces of its check-ins. Every payload of it is one line.
pub fn with_traces(envelope: Vec<u8>) -> Vec<u8> {
    TRACES.with_borrow(|traces| if traces.is_empty() { None } else { linked(&envelope, traces) }).unwrap_or(envelope)
}

fn linked(envelope: &[u8], traces: &[(String, TraceContext)]) -> Option<Vec<u8>> {
    let mut lines = std::str::from_utf8(envelope).ok()?.lines();
    let mut text = vec![lines.next()?.to_owned()];
    while let Some(header) = lines.next() {
        let payload = lines.next()?;
        match check_in(header, payload, traces) {
            Some(payload) => text.extend([json!({"type": "check_in", "length": payload.len()}).to_string(), payload]),
            None => text.extend([header, payload].map(str::to_owned)),
        }
    }
    text.push(String::new());
    Some(text.join("\n").into_bytes())
}

/// The payload with its trace, if it is that of a check-in.
fn check_in(header: &str, payload: &str, traces: &[(String, TraceContext)]) -> Option<String> {
    let header: Json = serde_json::from_str(header).ok()?;
    let mut check_in: Json = serde_json::from_str(payload).ok().filter(|_| header["type"] == "check_in")?;
    let (_, trace) = traces.iter().find(|(id, _)| check_in["check_in_id"] == **id)?;
    let trace = json!({"trace_id": trace.trace_id().to_string(), "span_id": trace.span_id().to_string()});
    check_in.as_object_mut()?.insert("contexts".to_owned(), json!({ "trace": trace }));
    Some(check_in.to_string())
}
