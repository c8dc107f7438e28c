//! Messages that are reported like errors.

use std::borrow::Cow;
use std::time::SystemTime;

use crate::base::level::Level;
use crate::base::stack::Stack;
use crate::context::current::Context;
use crate::events::event::{Details, Event, Fact, Source, UNKNOWN_OPERATION};
use crate::events::event_id::EventId;
use crate::events::report::{Cause, Report, ReportKind};
use crate::exporters::interface::Topic;
use crate::instrument::error_dedup::rate_limit::{self, Occurrence};
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
    let context = Context::current();
    let operation =
        context.operation().map_or(Cow::Borrowed(UNKNOWN_OPERATION), |operation| operation.to_owned().into());
    let occurrence = Occurrence {
        kind,
        level,
        source: &source,
        operation: &operation,
        error_type: "message",
        type_name: "",
        message: &text,
        place: None,
    };
    let left_out = rate_limit::allow(&*pipeline, &occurrence)?;
    let report = Report {
        id: EventId::fresh(),
        kind,
        operation,
        error_type: Cow::Borrowed("message"),
        causes: vec![Cause { type_name: Cow::Borrowed(""), message: text }],
        layers: Vec::new(),
        enclosing: None,
        left_out,
        place: None,
        stack: pipeline.wants_stack_traces().then(Stack::capture).flatten(),
    };
    let id = report.id;
    let fact = Fact::Reported(Box::new(report));
    let Details { fields, tags } = details;
    let event = Event { time: SystemTime::now(), level, source, context: context.event_context(), fact, fields, tags };
    pipeline.emit(Topic::Report, event);
    Some(id)
}
