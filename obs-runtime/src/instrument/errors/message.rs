//! Messages that are reported like errors.

use std::borrow::Cow;

use crate::base::clock;
use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::context::current::Context;
use crate::events::active_span;
use crate::events::event::{Details, Event, Source, UNKNOWN_OPERATION};
use crate::events::event_id::EventId;
use crate::events::report::{Cause, Report, ReportKind};
use crate::exporters::error_event::ErrorEvent;
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::rate_limit;
use crate::pipeline::global;

/// Reports a message. Returns the id of its report, if there is one.
pub fn report_message(
    kind: ReportKind,
    level: Level,
    text: Cow<'_, str>,
    source: Source<'static>,
    details: Details<'static>,
) -> Option<EventId> {
    let pipeline = global::pipeline()?;
    if !pipeline.wants(Topic::Report, level, &source.logger) {
        return None;
    }
    let mut context = Context::of_event_here();
    if let Some(trace) = active_span::trace() {
        context.set_trace(trace);
    }
    let operation =
        context.operation().map_or(Cow::Borrowed(UNKNOWN_OPERATION), |operation| operation.to_owned().into());
    let report = Report {
        id: EventId::fresh(),
        kind,
        operation,
        error_type: Cow::Borrowed("message"),
        causes: vec![Cause { type_name: Cow::Borrowed(""), message: text.into_owned().into() }],
        layers: Vec::new(),
        enclosing: None,
        left_out: 0,
        place: None,
        stack: None,
    };
    let id = report.id;
    let mut event = ErrorEvent { context, level, source, time: clock::wall(), report: Box::new(report) };
    if !rate_limit::allows(&*pipeline, &mut event) {
        return None;
    }
    event.report.stack = pipeline.wants_stack_traces().then(Stack::capture).flatten();
    let Details { fields, tags } = details;
    event.read(|event| pipeline.emit(Topic::Report, Event { fields, tags, ..event }));
    Some(id)
}
