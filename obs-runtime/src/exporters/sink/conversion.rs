//! Copies a redacted event into the form that sinks receive.

use std::sync::Arc;

use crate::events::event::{CallInfo, Event, Fact, Source};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::{Field, Text, Value};
use crate::events::report::{Report, ReportKind};
use crate::exporters::sink::event::{EventKind, RedactedEvent, Service, SinkCall, SinkFailure};
use crate::redact::redactor::Redacted;

impl RedactedEvent {
    /// A copy of an event; `None` for an event that sinks do not receive.
    pub(super) fn new(event: &Redacted<Event<'_>>, service: &Arc<Service>) -> Option<Self> {
        let kind = kind(&event.fact)?;
        let mut fields = Vec::new();
        event.fact.fields(&mut |name, value| fields.push(Field::new(name.to_owned(), owned(&value))));
        if let Fact::Reported(report) = &event.fact {
            fields.extend(report.all_layers().flat_map(|layer| &layer.fields).map(owned_field));
        }
        fields.extend(event.fields.iter().chain(event.span_fields().map(|(_, field)| field)).map(owned_field));
        let Source { logger, module, file, line } = &event.source;
        let optional = |text: &Option<Text<'_>>| text.as_deref().map(str::to_owned);
        Some(Self {
            kind,
            time: event.time,
            level: event.level,
            message: event.fact.message().into_owned(),
            service: Arc::clone(service),
            source: Source {
                logger: logger.to_string().into(),
                module: optional(module).map(Into::into),
                file: optional(file).map(Into::into),
                line: *line,
            },
            correlation_id: optional(&event.context.correlation_id),
            user: optional(&event.context.user),
            operation: optional(&event.context.operation),
            trace: event.context.trace.map(|trace| (trace.trace_id().to_string(), trace.span_id().to_string())),
            context_fields: event.context_fields().map(owned_field).collect(),
            spans: event
                .context
                .spans
                .redacted()
                .map_or_else(Vec::new, |spans| spans.spans.iter().map(|span| span.name).collect()),
            fields,
            tags: event.tags.clone(),
            call: call(&event.fact),
            failure: failure(&event.fact),
        })
    }
}

const fn kind(fact: &Fact<'_>) -> Option<EventKind> {
    Some(match fact {
        Fact::Log { .. } => EventKind::Log,
        Fact::Started { .. } => EventKind::CallStarted,
        Fact::Finished { .. } => EventKind::CallFinished,
        Fact::Reported(report) => match report.kind {
            ReportKind::Error => EventKind::Error,
            ReportKind::Panic => EventKind::Panic,
            ReportKind::Message | ReportKind::Signal => EventKind::Message,
        },
        Fact::Breadcrumb { .. } => EventKind::Breadcrumb,
        Fact::FeatureUsed { .. } => EventKind::FeatureUsed,
        Fact::ArgumentUsed { .. } => EventKind::ArgumentUsed,
        Fact::Priced(_) => EventKind::Cost,
        Fact::CostAlert { .. } => EventKind::CostAlert,
        Fact::Queried { .. } => EventKind::Query,
        Fact::DatasetOperation { .. } => EventKind::DatasetOperation,
        Fact::HealthChecked { .. } => EventKind::HealthCheck,
        Fact::QualityChecked { .. } => EventKind::QualityCheck,
        // An error is reported once, after it has passed its last function. Spans have no public form.
        Fact::Captured { .. } | Fact::Traced(_) => return None,
    })
}

fn call(fact: &Fact<'_>) -> Option<SinkCall> {
    let of = |call: &CallInfo| SinkCall {
        name: call.name.to_string(),
        attribute: call.kind.as_str(),
        outcome: None,
        duration: None,
        exit_code: None,
        error_type: None,
        error_messages: Vec::new(),
    };
    match fact {
        Fact::Started { call, arguments: _ } => Some(of(call)),
        Fact::Finished { call, outcome, duration, failure, exit_code } => Some(SinkCall {
            outcome: Some(*outcome),
            duration: Some(*duration),
            exit_code: *exit_code,
            error_type: failure.as_ref().map(|failure| failure.error_type.to_string()),
            error_messages: failure.as_ref().map(messages).unwrap_or_default(),
            ..of(call)
        }),
        _ => None,
    }
}

fn messages(failure: &FailureFacts<'_>) -> Vec<String> {
    std::iter::once(&failure.message).chain(&failure.sources).map(ToString::to_string).collect()
}

fn failure(fact: &Fact<'_>) -> Option<SinkFailure> {
    let Fact::Reported(report) = fact else { return None };
    let Report { id, kind: _, operation, error_type, causes, layers, enclosing: _, left_out, place, stack: _ } =
        &**report;
    Some(SinkFailure {
        event_id: *id,
        operation: operation.to_string(),
        error_type: error_type.to_string(),
        messages: causes.iter().map(|cause| cause.message.to_string()).collect(),
        functions: layers.iter().map(|layer| layer.name.to_string()).collect(),
        location: place.as_deref().map(str::to_owned),
        suppressed: *left_out,
    })
}

fn owned_field(field: &Field<'_>) -> Field<'static> {
    Field { name: field.name.to_string().into(), value: owned(&field.value) }
}

fn owned(value: &Value<'_>) -> Value<'static> {
    match value {
        Value::Text(text) => Value::Text(text.to_string().into()),
        Value::Signed(number) => Value::Signed(*number),
        Value::Unsigned(number) => Value::Unsigned(*number),
        Value::Float(number) => Value::Float(*number),
        Value::Bool(value) => Value::Bool(*value),
        Value::Hash(hash) => Value::Hash(*hash),
        Value::Length(length) => Value::Length(*length),
    }
}
