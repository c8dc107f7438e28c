//! Error events with everything known about them, as error trackers receive them.

use crate::base::stack::Stack;
use crate::events::event_id::EventId;
use crate::events::field::{Field, Text};
#[cfg(feature = "sentry")]
use crate::metrics::callsite::CallsiteKind;
use crate::metrics::callsite::Tags;

/// What a report is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// An error that a function returned, or that the program captured with `capture_error`.
    Error,
    /// A panic.
    Panic,
    /// A message that the program captured with `capture_message`.
    Message,
    /// The message for a signal that ends the process.
    #[cfg_attr(not(unix), expect(dead_code, reason = "only Unix has signals"))]
    Signal,
}

impl ReportKind {
    /// Whether it is a message rather than an error or a panic.
    #[cfg(any(feature = "sentry", feature = "testing"))]
    #[must_use]
    pub fn is_message(self) -> bool {
        matches!(self, Self::Message | Self::Signal)
    }
}

/// An error, a panic or a message, with the context of every annotated function that it passed.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// The event id.
    pub id: EventId,
    /// What the report is about.
    pub kind: ReportKind,
    /// The operation that failed first.
    pub operation: Text<'a>,
    /// Stable error type, of low cardinality.
    pub error_type: Text<'a>,
    /// The error and its sources, outermost first; for a message, the message alone.
    pub causes: Vec<Cause<'a>>,
    /// Context of each annotated function that the error passed, innermost first.
    pub layers: Vec<Layer<'a>>,
    /// Context of the command that was running, if the error has not passed it.
    pub enclosing: Option<Layer<'a>>,
    /// Number of similar reports dropped before this one by the rate limit.
    pub left_out: u64,
    /// Location of a panic: `file:line`.
    pub place: Option<Text<'a>>,
    /// The stack trace.
    pub stack: Option<Stack>,
}

impl<'a> Report<'a> {
    /// Whether it is about what has ended a command: a panic, an error that has passed the command, or a signal.
    #[cfg(feature = "sentry")]
    pub fn ends_command(&self) -> bool {
        let is_command = |layer: &Layer<'_>| layer.attribute == CallsiteKind::Command.as_str();
        match self.kind {
            ReportKind::Panic | ReportKind::Signal => true,
            ReportKind::Error => self.layers.iter().any(is_command),
            ReportKind::Message => false,
        }
    }

    /// What the program groups it by: what the innermost function that says so does.
    #[cfg(feature = "sentry")]
    pub fn own_fingerprint(&self) -> &[Text<'a>] {
        self.layers.iter().map(|layer| &*layer.fingerprint).find(|parts| !parts.is_empty()).unwrap_or_default()
    }

    /// The layers, and that of the enclosing command.
    pub fn all_layers(&self) -> impl Iterator<Item = &Layer<'a>> {
        self.layers.iter().chain(&self.enclosing)
    }
}

/// An error in a chain of sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause<'a> {
    /// Name of the error's type, without path and parameters.
    pub type_name: Text<'a>,
    /// The error message.
    pub message: Text<'a>,
}

/// The context of one annotated function that an error passed.
#[derive(Clone, Debug, Default)]
pub struct Layer<'a> {
    /// Name of the operation or command.
    pub name: Text<'a>,
    /// The attribute, or the one that corresponds to the function that the program called.
    pub attribute: &'static str,
    /// Recorded arguments, tags and error context.
    pub fields: Vec<Field<'a>>,
    /// The tags among the fields, which become searchable tags of the event.
    pub tags: Tags,
    /// What the function groups its errors by; empty if it says nothing.
    pub fingerprint: Vec<Text<'a>>,
    /// Texts that are attached as files.
    pub attachments: Vec<Attachment<'a>>,
}

/// A text that is attached to an event as a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attachment<'a> {
    /// The name of the file.
    pub name: Text<'a>,
    /// What is in it.
    pub text: Text<'a>,
}
