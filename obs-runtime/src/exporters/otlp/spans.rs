//! The spans of a trace as spans of OTLP, by OpenTelemetry's semantic conventions.

use std::time::SystemTime;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::{Event, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};
use prost::Message as _;

use crate::base::outcome::Outcome;
use crate::base::stack::Stack;
use crate::base::trace_context::TraceContext;
use crate::base::trace_state::TraceState;
use crate::events::event::EventContext;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Field;
use crate::events::span;
use crate::events::span::{RecordedTrace, TraceRoot};
use crate::events::span_event::{SpanEvent, SpanEvents};
use crate::exporters::otlp::attributes::{any, attribute, nanos, number, text};
use crate::exporters::otlp::otel_fields;
use crate::exporters::otlp::stack_trace::StackTraces;
use crate::metrics::callsite::SourceLocation;

/// The most attributes of a span, as in OpenTelemetry's limits.
const MAX_ATTRIBUTES: usize = 128;

/// The flags of a span: those of its trace, and whether its parent is in another process.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// The name of the event for an error or a panic.
pub const EXCEPTION: &str = "exception";

/// A span, and the stack of its exception, whose names are looked up when it is sent.
#[derive(Clone, Debug)]
pub struct SpanItem {
    /// The span.
    pub span: Span,
    /// The stack.
    pub stack: Option<Stack>,
}

impl SpanItem {
    /// About its size in bytes, when it is sent.
    pub fn size(&self) -> usize {
        const FRAME: usize = 128;
        self.span.encoded_len() + self.stack.as_ref().map_or(0, |stack| stack.frames().len() * FRAME)
    }

    /// The span, with the text of the stack.
    pub fn with_stack(&self, traces: &StackTraces) -> Span {
        let mut span = self.span.clone();
        // The last one: the program may log one of that name.
        let exception = span.events.iter_mut().rfind(|event| event.name == EXCEPTION);
        if let Some((event, stack)) = exception.zip(self.stack.as_ref()) {
            event.attributes.extend(traces.text(stack).map(|trace| text("exception.stacktrace", trace)));
        }
        span
    }
}

/// All spans of a trace that no other tracer exports. The context is that of the first one.
pub fn of_trace(recorded: &RecordedTrace, context: &EventContext<'_>) -> Vec<SpanItem> {
    let RecordedTrace {
        root: TraceRoot { trace, caller, is_remote, is_command: _, is_request, decision: _ },
        link,
        state,
        span,
        spans,
        left_out,
        elsewhere,
    } = recorded;
    let is_server = *is_request || *is_remote && span.op == "function";
    let kind = if is_server { SpanKind::Server } else { SpanKind::Internal };
    let mut item = of_span(*trace, span, kind);
    let root = &mut item.span;
    root.parent_span_id = caller.as_ref().map(|caller| caller.span_id_bytes().to_vec()).unwrap_or_default();
    if *is_remote {
        root.flags |= IS_REMOTE;
    }
    root.links = link.iter().map(of_link).collect();
    if *left_out > 0 {
        root.attributes.push(number("obs.spans.left_out", *left_out));
    }
    let of_context = [("obs.correlation_id", &context.correlation_id), ("enduser.id", &context.user)];
    root.attributes.extend(of_context.into_iter().filter_map(|(name, value)| Some(text(name, &**value.as_ref()?))));
    add_fields(root, &context.fields);
    let first = (!elsewhere.ids.contains(&span.id)).then_some(item);
    let children = spans.iter().filter(|child| !elsewhere.ids.contains(&child.id)).map(|child| {
        let kind = if child.op == "db.query" { SpanKind::Client } else { SpanKind::Internal };
        of_span(*trace, child, kind)
    });
    let trace_state = state.as_ref().map(TraceState::as_str).unwrap_or_default();
    let with_state = |item: SpanItem| {
        let span = Span { trace_state: trace_state.to_owned(), ..item.span };
        SpanItem { span, ..item }
    };
    first.into_iter().chain(children).map(with_state).collect()
}

fn of_span(trace: TraceContext, span: &span::Span, kind: SpanKind) -> SpanItem {
    let span::Span { id, parent, name, op, attribute: _, begun, ended, outcome, calls, place, function, details } =
        span;
    let failure = details.as_ref().and_then(|details| details.failure.as_ref());
    let mut of = Span {
        trace_id: trace.trace_id_bytes().to_vec(),
        span_id: id.to_be_bytes().to_vec(),
        parent_span_id: parent.to_be_bytes().to_vec(),
        flags: u32::from(trace.flags()) | HAS_IS_REMOTE,
        name: name.to_string(),
        kind: kind.into(),
        start_time_unix_nano: nanos(*begun),
        end_time_unix_nano: nanos(*ended),
        attributes: vec![text("obs.operation.kind", *op)],
        status: status(*outcome, failure),
        ..Span::default()
    };
    // Spans of `tracing` do not say how they ended.
    if *op != "span" {
        of.attributes.push(text("obs.outcome", outcome.as_str()));
    }
    if let Some(place) = place {
        of.attributes.extend(code(*place, function.as_deref()));
    }
    if let Some((calls, total)) = calls {
        let total = attribute("obs.calls.total_seconds", Any::DoubleValue(total.as_secs_f64()));
        of.attributes.extend([number("obs.calls", *calls), total]);
    }
    if matches!(outcome, Outcome::Error | Outcome::Panic) {
        let error_type = failure.map_or("_OTHER", |failure| &failure.error_type);
        of.attributes.push(text("error.type", error_type));
        of.events.extend(failure.map(|failure| exception(*ended, failure)));
    }
    if let Some(details) = details {
        if *op == "span" {
            let own: Vec<_> =
                details.fields.iter().filter(|field| !otel_fields::apply(&mut of, field)).cloned().collect();
            add_fields(&mut of, &own);
        } else {
            add_fields(&mut of, &details.fields);
        }
        let SpanEvents { kept, dropped } = &details.events;
        of.events.splice(0..0, kept.iter().map(logged));
        of.dropped_events_count = *dropped;
    }
    let stack = details.as_ref().and_then(|details| details.stack.clone());
    SpanItem { span: of, stack }
}

/// An event that the program has logged inside of the span.
fn logged(event: &SpanEvent) -> Event {
    let SpanEvent { time, level, logger, message, fields } = event;
    let own = [text("level", level.as_str()), text("logger", &**logger)];
    let mut attributes = Vec::from(own);
    for field in fields {
        if attributes.len() < MAX_ATTRIBUTES && attributes.iter().all(|known| known.key != field.name) {
            attributes.push(attribute(&*field.name, any(&field.value)));
        }
    }
    Event { time_unix_nano: nanos(*time), name: message.to_string(), attributes, ..Event::default() }
}

/// Adds fields as attributes, up to the limit. A name that is there already is not added: names are unique.
fn add_fields(span: &mut Span, fields: &[Field<'_>]) {
    for field in fields {
        if span.attributes.iter().any(|known| known.key == field.name) {
            continue;
        }
        if span.attributes.len() >= MAX_ATTRIBUTES {
            span.dropped_attributes_count += 1;
        } else {
            span.attributes.push(attribute(&*field.name, any(&field.value)));
        }
    }
}

/// The place in the source code.
fn code(place: SourceLocation, function: Option<&str>) -> impl Iterator<Item = KeyValue> {
    let function = function.map(|function| text("code.function.name", format!("{}::{function}", place.module)));
    let file = [text("code.file.path", place.file), number("code.line.number", place.line.into())];
    function.into_iter().chain(file)
}

/// An error is one; what succeeded or was cancelled has no status, as the conventions want it.
fn status(outcome: Outcome, failure: Option<&FailureFacts<'_>>) -> Option<Status> {
    let message = || failure.map(|failure| failure.message.to_string()).unwrap_or_default();
    matches!(outcome, Outcome::Error | Outcome::Panic)
        .then(|| Status { code: StatusCode::Error.into(), message: message() })
}

fn exception(time: SystemTime, failure: &FailureFacts<'_>) -> Event {
    let FailureFacts { error_type, message, sources } = failure;
    let mut attributes = vec![text("exception.type", &**error_type), text("exception.message", &**message)];
    if !sources.is_empty() {
        attributes.push(text("obs.error.sources", sources.join(": ")));
    }
    Event { time_unix_nano: nanos(time), name: EXCEPTION.to_owned(), attributes, ..Event::default() }
}

fn of_link(link: &TraceContext) -> Link {
    Link {
        trace_id: link.trace_id_bytes().to_vec(),
        span_id: link.span_id_bytes().to_vec(),
        flags: u32::from(link.flags()),
        ..Link::default()
    }
}
