//! Values, names and scopes as Sentry has them, within the limits that it sets.

use std::borrow::Cow;

use ::sentry::protocol::{self, Map};
use serde_json::Value as Json;

use crate::base::level::Level;
use crate::base::trace_context::TraceContext;
use crate::events::event::EventContext;
use crate::events::field::Value;
use crate::events::report::Layer;
use crate::exporters::sentry::options::Settings;
use crate::metrics::callsite::Tags;

/// Longest key of a tag.
const TAG_KEY: usize = 32;

/// Longest value of a tag.
const TAG_VALUE: usize = 200;

/// Longest text of a field.
const FIELD: usize = 1024;

/// Most fields of a context.
const FIELDS: usize = 64;

/// Names of contexts that Sentry gives a meaning to.
const TAKEN: [&str; 12] = [
    "app",
    "browser",
    "culture",
    "device",
    "gpu",
    "os",
    "otel",
    "profile",
    "reprocessing",
    "response",
    "runtime",
    "trace",
];

/// A level.
pub const fn level(level: Level) -> protocol::Level {
    match level {
        Level::Trace | Level::Debug => protocol::Level::Debug,
        Level::Info => protocol::Level::Info,
        Level::Warning => protocol::Level::Warning,
        Level::Error => protocol::Level::Error,
        Level::Critical => protocol::Level::Fatal,
    }
}

/// The text, or as much of it as is let through, with a mark.
pub fn limited(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return Cow::Borrowed(text);
    }
    let end = (0..=longest.saturating_sub(3)).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    Cow::Owned(format!("{}…", &text[..end]))
}

/// A value. A number that JSON does not have becomes text.
pub fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Signed(number) => Json::from(*number),
        Value::Unsigned(number) => Json::from(*number),
        Value::Float(number) if number.is_finite() => Json::from(*number),
        Value::Bool(value) => Json::from(*value),
        Value::Length(length) => Json::from(*length),
        Value::Text(text) => Json::from(&*limited(text, FIELD)),
        other => Json::from(other.to_string()),
    }
}

/// Puts a tag on an event, as Sentry takes it: an empty one and one of a name that is there already is left out.
pub fn tag(tags: &mut Map<String, String>, name: &str, value: &str) {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || "_.:-".contains(letter) { letter } else { '_' }
    };
    let name: String = name.chars().take(TAG_KEY).map(plain).collect();
    let on_one_line = |letter: char| if letter.is_control() { ' ' } else { letter };
    let value: String = value.trim().chars().take(TAG_VALUE).map(on_one_line).collect();
    if !name.is_empty() && !value.trim().is_empty() {
        tags.entry(name).or_insert(value);
    }
}

/// The tags of an event: what people search by.
pub fn tags<'t>(
    settings: &Settings,
    scope: &EventContext<'_>,
    own: impl IntoIterator<Item = &'t Tags>,
) -> Map<String, String> {
    let mut tags = Map::new();
    tag(&mut tags, "service", &settings.service);
    for (name, value) in [("correlation_id", &scope.correlation_id), ("command", &scope.operation)] {
        if let Some(value) = value {
            tag(&mut tags, name, value);
        }
    }
    for (name, value) in own.into_iter().flatten() {
        tag(&mut tags, name, value);
    }
    tags
}

/// The contexts of an event: what each function says of it under its name, what is said of its scope, and its trace.
pub fn contexts(scope: &EventContext<'_>, layers: &[Layer<'_>]) -> Map<String, protocol::Context> {
    let mut contexts = Map::new();
    for layer in layers {
        let name = limited(&layer.name, TAG_VALUE).into_owned();
        let name = if TAKEN.contains(&&*name) { format!("{name}()") } else { name };
        add(&mut contexts, name, layer.fields.iter().map(|field| (&*field.name, &field.value)));
    }
    add(&mut contexts, "scope".to_owned(), scope.fields.iter().map(|field| (&*field.name, &field.value)));
    contexts.insert("os".to_owned(), os());
    if let Some(trace) = scope.trace {
        let (span_id, trace_id) = (span_id(&trace), trace_id(&trace));
        let trace = protocol::TraceContext { span_id, trace_id, ..protocol::TraceContext::default() };
        contexts.insert("trace".to_owned(), trace.into());
    }
    contexts
}

/// The id of a trace.
pub fn trace_id(trace: &TraceContext) -> protocol::TraceId {
    trace.trace_id().to_string().parse().unwrap_or_default()
}

/// The id of a trace's span.
pub fn span_id(trace: &TraceContext) -> protocol::SpanId {
    trace.span_id().to_string().parse().unwrap_or_default()
}

fn add<'f>(
    contexts: &mut Map<String, protocol::Context>,
    name: String,
    fields: impl Iterator<Item = (&'f str, &'f Value<'f>)>,
) {
    let mut fields = fields.peekable();
    if fields.peek().is_none() {
        return;
    }
    let context = contexts.entry(name).or_insert_with(|| protocol::Context::Other(Map::new()));
    let protocol::Context::Other(known) = context else { return };
    for (name, value) in fields {
        // `type` says what kind of context it is.
        let name = if name == "type" { "type_" } else { name };
        if known.len() < FIELDS {
            known.entry(name.to_owned()).or_insert_with(|| json(value));
        }
    }
}

fn os() -> protocol::Context {
    let name = Some(std::env::consts::OS.to_owned());
    protocol::Context::from(protocol::OsContext { name, ..protocol::OsContext::default() })
}
