//! Ends spans that the program's tracer provider has begun for obs.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry::{KeyValue, Value};
use opentelemetry_proto::tonic::common::v1 as proto;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;

use crate::events::event::EventContext;
use crate::events::panics::caught;
use crate::events::program_span::ProgramSpan;
use crate::events::span::RecordedTrace;
use crate::exporters::otlp::spans;

/// Ends the span with what is recorded of it. It is exported by the program's processors, on this thread or theirs. It has no
/// `exception.stacktrace`: looking up the names of a stack takes milliseconds, which the caller would wait for.
pub fn end(program: &ProgramSpan, recorded: &RecordedTrace, context: &EventContext<'_>) {
    let Some(item) = spans::of_trace(recorded, context).into_iter().next() else { return };
    // A processor of the program runs.
    let _ = caught(|| apply(program, item.span));
}

fn apply(program: &ProgramSpan, of: Span) {
    let Span { name, attributes, events, status, end_time_unix_nano, .. } = of;
    let span = program.context().span();
    span.update_name(name);
    span.set_attributes(attributes.into_iter().filter_map(key_value));
    for event in events {
        let attributes = event.attributes.into_iter().filter_map(key_value).collect();
        span.add_event_with_timestamp(event.name, time(event.time_unix_nano), attributes);
    }
    if let Some(status) = status.filter(|status| status.code() == StatusCode::Error) {
        span.set_status(Status::error(status.message));
    }
    span.end_with_timestamp(time(end_time_unix_nano));
}

fn time(nanos: u64) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_nanos(nanos)).unwrap_or(UNIX_EPOCH)
}

/// An attribute; obs has no lists in its own.
fn key_value(of: proto::KeyValue) -> Option<KeyValue> {
    let value: Value = match of.value?.value? {
        Any::StringValue(text) => text.into(),
        Any::BoolValue(value) => value.into(),
        Any::IntValue(number) => number.into(),
        Any::DoubleValue(number) => number.into(),
        _ => return None,
    };
    Some(KeyValue::new(of.key, value))
}
