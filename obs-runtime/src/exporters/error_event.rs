//! An error whose way is over, and its report, which may be redacted where it is sent: that keeps nobody's function waiting.

use std::sync::Arc;
use std::time::SystemTime;

use crate::base::level::Level;
use crate::context::current::Context;
use crate::events::event::{Event, Fact, Source};
use crate::events::field::Value;
use crate::events::report::{Cause, Layer, Report};
use crate::redact::redactor::{MAX_TEXT, Redacted, Redactor};

/// An error with all that is known of it, and when and in which context it came up.
pub struct Incident {
    /// The context that it came up in.
    pub context: Context,
    /// How bad it is.
    pub level: Level,
    /// Where it was captured.
    pub source: Source<'static>,
    /// When it was captured.
    pub time: SystemTime,
    /// What is known of it.
    pub report: Box<Report<'static>>,
}

impl Incident {
    /// Whether it is short enough to be kept as it is for a while. What leaves is cut.
    pub fn is_short(&self) -> bool {
        let in_layer = |layer: &Layer<'_>| {
            let fields = layer.fields.iter().map(|field| match &field.value {
                Value::Text(text) => text.len(),
                _ => 0,
            });
            fields.chain(layer.tags.iter().map(|(_, value)| value.len())).sum::<usize>()
        };
        let in_layers = self.report.layers.iter().map(in_layer);
        let in_causes = self.report.causes.iter().map(|cause: &Cause<'_>| cause.message.len());
        in_layers.chain(in_causes).sum::<usize>() <= MAX_TEXT
    }

    /// Has it read as an event.
    pub fn read<R>(self, read: impl FnOnce(Event<'_>) -> R) -> R {
        let Self { context, level, source, time, report } = self;
        let (fact, context) = (Fact::Reported(report), context.event_context());
        read(Event { time, level, source, context, fact, fields: Vec::new(), tags: Vec::new() })
    }
}

/// What nobody can read but through a [`Redactor`], nor see as `Debug`.
pub struct Sealed {
    incident: Incident,
    redactor: Arc<Redactor>,
}

impl Sealed {
    /// Seals an incident, to be opened by this redactor.
    pub const fn new(incident: Incident, redactor: Arc<Redactor>) -> Self {
        Self { incident, redactor }
    }

    /// When it was captured.
    #[cfg(feature = "sentry")]
    pub const fn time(&self) -> SystemTime {
        self.incident.time
    }

    /// The correlation id that it came up under, as it may leave.
    #[cfg(feature = "sentry")]
    pub fn correlation_id(&self) -> Option<crate::events::field::Text<'_>> {
        self.incident.context.correlation_id().map(|id| self.redactor.repeated(id.into()))
    }

    /// Redacts it and has it read.
    pub fn open<R>(self, read: impl FnOnce(&Redacted<Event<'_>>) -> R) -> R {
        let Self { incident, redactor } = self;
        incident.read(|event| read(&redactor.event(event)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::events::event_id::EventId;
    use crate::events::field::Field;
    use crate::events::report::ReportKind;

    fn incident(message: &str, argument: &str) -> Incident {
        let cause = Cause { type_name: "LoadError".into(), message: message.to_owned().into() };
        let fields = vec![Field::new("path", argument.to_owned())];
        let layer = Layer { name: "load".into(), attribute: "with_error_tracking", fields, tags: Vec::new() };
        let report = Report {
            id: EventId::fresh(),
            kind: ReportKind::Error,
            operation: "load".into(),
            error_type: "load_error".into(),
            causes: vec![cause],
            layers: vec![layer],
            left_out: 0,
            place: None,
            stack: None,
        };
        let (context, source) = (Context::default(), Source::default());
        Incident { context, level: Level::Error, source, time: SystemTime::UNIX_EPOCH, report: Box::new(report) }
    }

    #[test]
    fn what_is_sealed_is_read_redacted_only() {
        let incident = incident("password=hunter2 is wrong", "a.csv");
        assert!(incident.is_short());
        let sealed = Sealed::new(incident, Arc::new(Redactor::new(&[], None)));
        let said = sealed.open(|event| match &event.fact {
            Fact::Reported(report) => report.causes[0].message.to_string(),
            _ => String::new(),
        });
        assert_eq!(said, "password=[REDACTED] is wrong");
    }

    #[test]
    fn long_words_and_long_arguments_are_not_kept_as_they_are() {
        let long = "x".repeat(MAX_TEXT + 1);
        assert!(!incident(&long, "a.csv").is_short() && !incident("no", &long).is_short());
    }
}
