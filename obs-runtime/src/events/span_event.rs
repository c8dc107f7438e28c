//! What the program logged inside of a span.

use std::time::SystemTime;

use crate::base::level::Level;
use crate::events::field::{Field, Text};

/// The most events of a span, as in OpenTelemetry's limits.
#[cfg(feature = "otlp")]
const MAX_OF_SPAN: usize = 128;

/// An event of `tracing` inside of a span.
#[derive(Clone, Debug, PartialEq)]
pub struct SpanEvent {
    /// When it was logged.
    pub time: SystemTime,
    /// Its level.
    pub level: Level,
    /// The module that logged it.
    pub logger: Text<'static>,
    /// Its message.
    pub message: Text<'static>,
    /// Its fields.
    pub fields: Vec<Field<'static>>,
}

/// The events of a span.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SpanEvents {
    /// The first ones.
    pub kept: Vec<SpanEvent>,
    /// How many there were beyond the limit.
    pub dropped: u32,
}

impl SpanEvents {
    /// Whether there is room for one more.
    #[cfg(feature = "otlp")]
    pub fn has_room(&self) -> bool {
        self.kept.len() < MAX_OF_SPAN
    }

    /// Adds those of another attribute on the same function, by time.
    pub fn merge(&mut self, other: Self) {
        self.kept.extend(other.kept);
        self.kept.sort_by_key(|event| event.time);
        self.dropped = self.dropped.saturating_add(other.dropped);
    }
}
