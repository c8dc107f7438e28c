//! Events of `tracing` as events of spans.

use std::borrow::Cow;

use tracing_core::Event;
use tracing_log::NormalizeEvent as _;

use crate::base::clock;
use crate::base::level::Level;
use crate::events::span_event::SpanEvent;
use crate::pipeline::layer::event_name;
use crate::pipeline::layer::field_collector::Collected;

/// An event of `tracing` as an event of its span.
pub fn event_of(event: &Event<'_>) -> SpanEvent {
    let mut collected = Collected::default();
    event.record(&mut collected);
    if event.is_log() {
        collected.mark_log_record();
    }
    let metadata = event.metadata();
    let logger =
        collected.log_source().target.map_or(Cow::Borrowed(metadata.target()), |target| target.to_owned().into());
    let message = collected.message();
    let message =
        message.unwrap_or_else(|| event_name::instead_of_message(event_name::given(metadata.name()), &collected, None));
    SpanEvent {
        time: clock::wall(),
        level: Level::from_tracing(*metadata.level()),
        logger,
        message: Cow::Owned(message.into_owned()),
        fields: collected.to_fields_of_event(),
    }
}
