//! The spans of a run as spans of OTLP.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{Span, Status};

use crate::base::outcome::Outcome;
use crate::base::span_buffer::{self, CommandTrace};
use crate::base::trace_context::TraceContext;
use crate::exporters::otlp::attributes::{attribute, number, text};

/// The flags of a span: those of its trace, and that it is known whether its parent is in another process.
const HAS_IS_REMOTE: u32 = 0x100;
const IS_REMOTE: u32 = 0x200;

/// All spans of a run, its own one first.
pub fn of_run(recorded: &CommandTrace) -> Vec<Span> {
    let CommandTrace { trace, caller, name, begun, ended, outcome, spans, left_out } = recorded;
    let mut root = Span {
        parent_span_id: caller.as_ref().map(|caller| caller.span_id_bytes().to_vec()).unwrap_or_default(),
        flags: flags(*trace, caller.is_some()),
        kind: SpanKind::Internal.into(),
        ..span(*trace, trace.span_id_bytes(), name, (*begun, *ended), *outcome)
    };
    if *left_out > 0 {
        root.attributes.push(number("obs.spans.left_out", *left_out));
    }
    let children = spans.iter().map(|child| {
        let span_buffer::Span { id, parent, name, op, attribute: _, begun, ended, outcome, calls } = child;
        let parent = if *parent == 0 { trace.span_id_bytes() } else { parent.to_be_bytes() };
        let kind = if *op == "db.query" { SpanKind::Client } else { SpanKind::Internal };
        let mut of = Span {
            parent_span_id: parent.to_vec(),
            flags: flags(*trace, false),
            kind: kind.into(),
            ..span(*trace, id.to_be_bytes(), name, (*begun, *ended), *outcome)
        };
        if let Some((calls, total)) = calls {
            let total = attribute("obs.calls.total_seconds", Any::DoubleValue(total.as_secs_f64()));
            of.attributes.extend([number("obs.calls", *calls), total]);
        }
        of
    });
    std::iter::once(root.clone()).chain(children).collect()
}

fn flags(trace: TraceContext, is_parent_remote: bool) -> u32 {
    u32::from(trace.flags()) | HAS_IS_REMOTE | if is_parent_remote { IS_REMOTE } else { 0 }
}

fn span(trace: TraceContext, id: [u8; 8], name: &str, time: (SystemTime, SystemTime), outcome: Outcome) -> Span {
    Span {
        trace_id: trace.trace_id_bytes().to_vec(),
        span_id: id.to_vec(),
        name: name.to_owned(),
        start_time_unix_nano: nanos(time.0),
        end_time_unix_nano: nanos(time.1),
        attributes: vec![text("obs.outcome", outcome.as_str())],
        status: status(outcome),
        ..Span::default()
    }
}

/// An error is one; what succeeded or was cancelled has no status, as the conventions want it.
fn status(outcome: Outcome) -> Option<Status> {
    match outcome {
        Outcome::Error | Outcome::Panic => Some(Status { code: StatusCode::Error.into(), message: String::new() }),
        Outcome::Ok | Outcome::Cancelled => None,
    }
}

/// Nanoseconds since 1970.
pub fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
