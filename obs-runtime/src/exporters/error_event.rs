//! An error to be reported. It may be redacted on the thread that sends it, so that the failed function does not wait.

use std::sync::Arc;
use std::time::SystemTime;

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Event, Fact, Source};
use crate::events::field::Value;
use crate::events::report::{Cause, Layer, Report};
use crate::redact::redactor::{Redacted, Redactor};
use crate::redact::truncation::MAX_TEXT;

/// An error with all that is known of it.
pub struct ErrorEvent {
    /// The context in which it was captured.
    pub context: Context,
    /// Severity.
    pub level: Level,
    /// Where it was captured.
    pub source: Source<'static>,
    /// When it was captured.
    pub time: SystemTime,
    /// The error itself.
    pub report: Box<Report<'static>>,
}

impl ErrorEvent {
    /// Whether it is short enough to be queued before redaction cuts it.
    pub fn is_short(&self) -> bool {
        let in_layer = |layer: &Layer<'_>| {
            let fields = layer.fields.iter().map(|field| match &field.value {
                Value::Text(text) => text.len(),
                _ => 0,
            });
            let tags = layer.tags.iter().map(|(_, value)| value.len());
            let attachments = layer.attachments.iter().map(|attachment| attachment.text.len());
            fields.chain(tags).chain(attachments).sum::<usize>()
        };
        let in_layers = self.report.all_layers().map(in_layer);
        let in_causes = self.report.causes.iter().map(|cause: &Cause<'_>| cause.message.len());
        in_layers.chain(in_causes).sum::<usize>() <= MAX_TEXT
    }

    /// Reads it as an event.
    pub fn read<R>(self, read: impl FnOnce(Event<'_>) -> R) -> R {
        let Self { context, level, source, time, report } = self;
        let (fact, context) = (Fact::Reported(report), context.event_context());
        read(Event { time, level, source, context, fact, fields: Vec::new(), tags: Vec::new() })
    }
}

/// An error that is not redacted yet. It can only be read through its [`Redactor`], and has no `Debug`.
pub struct RawErrorEvent {
    event: ErrorEvent,
    redactor: Arc<Redactor>,
}

impl RawErrorEvent {
    /// An error to be read through this redactor.
    pub const fn new(event: ErrorEvent, redactor: Arc<Redactor>) -> Self {
        Self { event, redactor }
    }

    /// The id of its report.
    #[cfg(feature = "sentry")]
    pub const fn id(&self) -> crate::events::event_id::EventId {
        self.event.report.id
    }

    /// The label of its error, which is a name of the program.
    #[cfg(feature = "sentry")]
    pub fn error_type(&self) -> &str {
        &self.event.report.error_type
    }

    /// Whether it is about what has ended a command.
    #[cfg(feature = "sentry")]
    pub fn ends_command(&self) -> bool {
        self.event.report.ends_command()
    }

    /// Whether it is about an error or a panic.
    #[cfg(feature = "sentry")]
    pub fn is_error(&self) -> bool {
        !self.event.report.kind.is_message()
    }

    /// When it was captured.
    #[cfg(feature = "sentry")]
    pub const fn time(&self) -> SystemTime {
        self.event.time
    }

    /// The redacted correlation id of its context.
    #[cfg(feature = "sentry")]
    pub fn correlation_id(&self) -> Option<crate::events::field::Text<'_>> {
        self.event.context.correlation_id().map(|id| self.redactor.repeated(id.into()))
    }

    /// Redacts it and reads it.
    pub fn redact<R>(self, read: impl FnOnce(&Redacted<Event<'_>>) -> R) -> R {
        let Self { event, redactor } = self;
        event.read(|event| read(&redactor.event(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event_id::EventId;
    use crate::events::field::Field;
    use crate::events::report::ReportKind;

    fn error_event(message: &str, argument: &str) -> ErrorEvent {
        let cause = Cause { type_name: "LoadError".into(), message: message.to_owned().into() };
        let fields = vec![Field::new("path", argument.to_owned())];
        let layer = Layer { name: "load".into(), fields, ..Layer::default() };
        let report = Report {
            id: EventId::fresh(),
            kind: ReportKind::Error,
            operation: "load".into(),
            error_type: "load_error".into(),
            causes: vec![cause],
            layers: vec![layer],
            enclosing: None,
            left_out: 0,
            place: None,
            stack: None,
        };
        let (context, source) = (Context::default(), Source::default());
        ErrorEvent { context, level: Level::Error, source, time: SystemTime::UNIX_EPOCH, report: Box::new(report) }
    }

    #[test]
    fn a_raw_event_is_read_redacted_only() {
        let event = error_event("password=hunter2 is wrong", "a.csv");
        assert!(event.is_short());
        let raw = RawErrorEvent::new(event, Arc::new(Redactor::new(&[], None)));
        let said = raw.redact(|event| match &event.fact {
            Fact::Reported(report) => report.causes[0].message.to_string(),
            _ => String::new(),
        });
        assert_eq!(said, "password=[REDACTED] is wrong");
    }

    #[test]
    fn long_messages_and_long_arguments_are_not_queued_before_redaction() {
        let long = "x".repeat(MAX_TEXT + 1);
        assert!(!error_event(&long, "a.csv").is_short() && !error_event("no", &long).is_short());
    }
}
