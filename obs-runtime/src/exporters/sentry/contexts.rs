//! Converts values, tags and contexts to Sentry's types, within Sentry's limits.

use std::borrow::Cow;

use ::sentry::protocol::{self, Map};
use serde_json::Value as Json;

use crate::base::level::Level;
use crate::base::text;
use crate::base::trace_context::TraceContext;
use crate::events::event::EventContext;
use crate::events::field::Value;
use crate::events::report::Layer;
use crate::exporters::sentry::options::Settings;
use crate::metrics::callsite::Tags;

/// The most characters of a tag's key.
const MAX_TAG_KEY: usize = 32;

/// The most characters of a tag's value.
const MAX_TAG_VALUE: usize = 200;

/// The most bytes of a field's text.
const MAX_FIELD: usize = 1024;

/// The most fields of a context.
const MAX_FIELDS: usize = 64;

/// Names of contexts that have a meaning in Sentry.
const RESERVED: [&str; 12] = [
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

/// Converts a level.
pub const fn level(level: Level) -> protocol::Level {
    match level {
        Level::Trace | Level::Debug => protocol::Level::Debug,
        Level::Info => protocol::Level::Info,
        Level::Warning => protocol::Level::Warning,
        Level::Error => protocol::Level::Error,
        Level::Critical => protocol::Level::Fatal,
    }
}

/// Cuts a text that has more bytes, and marks the cut with `…`.
pub fn limited(text: &str, longest: usize) -> Cow<'_, str> {
    if text.len() <= longest {
        return Cow::Borrowed(text);
    }
    Cow::Owned(format!("{}…", text::until(text, longest.saturating_sub(3))))
}

/// Converts a value. A number that JSON does not support becomes text.
pub fn json(value: &Value<'_>) -> Json {
    match value {
        Value::Signed(number) => Json::from(*number),
        Value::Unsigned(number) => Json::from(*number),
        Value::Float(number) if number.is_finite() => Json::from(*number),
        Value::Bool(value) => Json::from(*value),
        Value::Length(length) => Json::from(*length),
        Value::Text(text) => Json::from(&*limited(text, MAX_FIELD)),
        other => Json::from(other.to_string()),
    }
}

/// Adds a tag with a valid name and value. An empty tag, and a second one of the same name, is ignored.
pub fn tag(tags: &mut Map<String, String>, name: &str, value: &str) {
    let plain = |letter: char| {
        if letter.is_ascii_alphanumeric() || "_.:-".contains(letter) { letter } else { '_' }
    };
    let name: String = name.chars().take(MAX_TAG_KEY).map(plain).collect();
    let on_one_line = |letter: char| if letter.is_control() { ' ' } else { letter };
    let value: String = value.trim().chars().take(MAX_TAG_VALUE).map(on_one_line).collect();
    if !name.is_empty() && !value.trim().is_empty() {
        tags.entry(name).or_insert(value);
    }
}

/// The tags of an event, by which people search.
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

/// The contexts of an event: the fields of each of these functions, under the function's name, the fields of the current
/// context as `scope`, the operating system, and the trace.
pub fn contexts<'l>(
    scope: &EventContext<'_>,
    layers: impl Iterator<Item = &'l Layer<'l>>,
) -> Map<String, protocol::Context> {
    let mut contexts = Map::new();
    for layer in layers {
        let name = limited(&layer.name, MAX_TAG_VALUE).into_owned();
        let name = if RESERVED.contains(&&*name) { format!("{name}()") } else { name };
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
        // `type` is the kind of the context.
        let name = if name == "type" { "type_" } else { name };
        if known.len() < MAX_FIELDS {
            known.entry(name.to_owned()).or_insert_with(|| json(value));
        }
    }
}

fn os() -> protocol::Context {
    let name = Some(std::env::consts::OS.to_owned());
    protocol::Context::from(protocol::OsContext { name, ..protocol::OsContext::default() })
}
