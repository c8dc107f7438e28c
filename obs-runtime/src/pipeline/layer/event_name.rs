//! Names of events of `tracing`, and what stands for a message that is missing.

use std::borrow::Cow;

use crate::events::field::Text;
use crate::events::log_span::LogSpan;
use crate::pipeline::layer::field_collector::Collected;

/// The name that the program has given an event. `tracing` names others after their place: `event src/main.rs:7`.
pub fn given(name: &'static str) -> Option<&'static str> {
    (!name.starts_with("event ") && name != "log event").then_some(name)
}

/// The message of an event that has none: its name, or what `#[instrument(err)]` and `#[instrument(ret)]` say.
pub fn instead_of_message<'c>(
    name: Option<&'static str>,
    collected: &'c Collected,
    span: Option<&LogSpan>,
) -> Text<'c> {
    match (name, span.map(LogSpan::name)) {
        (Some(name), _) => Cow::Borrowed(name),
        (None, Some(span)) => match collected.text("error") {
            Some(error) => Cow::Owned(format!("{span} failed: {error}")),
            None if collected.has("return") => Cow::Owned(format!("{span} returned")),
            None => Cow::Borrowed(""),
        },
        (None, None) => Cow::Borrowed(collected.text("error").unwrap_or_default()),
    }
}
