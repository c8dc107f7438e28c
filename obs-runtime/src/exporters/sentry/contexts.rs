//! Converts values, tags and contexts to Sentry's types, within Sentry's limits.

use std::borrow::Cow;
use std::sync::OnceLock;

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

/// The most characters of a tag's key. A longer one is cut, and marked with a hash of the whole.
const MAX_TAG_KEY: usize = 32;

/// How many of them are the hash's.
const TAG_KEY_HASH: usize = 6;

/// The most characters of a tag's value.
const MAX_TAG_VALUE: usize = 200;

/// The most bytes of a field's text.
const MAX_FIELD: usize = 1024;

/// The most fields of a context.
const MAX_FIELDS: usize = 64;

/// Names of contexts that have a meaning in Sentry.
const RESERVED: [&str; 13] = [
    "app",
    "browser",
    "culture",
    "device",
    "gpu",
    "monitor",
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
    let name = if name.chars().count() <= MAX_TAG_KEY {
        name.chars().map(plain).collect()
    } else {
        let start: String = name.chars().take(MAX_TAG_KEY - TAG_KEY_HASH - 1).map(plain).collect();
        // Of the program's own names: a hash that anybody can repeat, equal in all builds.
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        format!("{start}_{:06x}", hash & 0xff_ffff)
    };
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
    for field in &*scope.tags {
        tag(&mut tags, &field.name, &field.value.to_string());
    }
    tags
}

/// The contexts of an event: the fields of each of these functions, innermost first, under the function's name, with a number
/// from the second call of a function on; the fields of the current context as `scope`, the operating system, and the trace.
pub fn contexts<'l>(
    scope: &EventContext<'_>,
    layers: impl Iterator<Item = &'l Layer<'l>>,
) -> Map<String, protocol::Context> {
    let mut contexts = Map::new();
    // The attributes of one call are one context.
    let mut calls: Vec<(&Layer<'_>, Vec<&str>)> = Vec::new();
    for layer in layers {
        match calls.last_mut() {
            Some((last, attributes)) if last.name == layer.name && !attributes.contains(&layer.attribute) => {
                attributes.push(layer.attribute);
            }
            _ => calls.push((layer, vec![layer.attribute])),
        }
        let before = calls.iter().filter(|(call, _)| call.name == layer.name).count();
        let name = limited(&layer.name, MAX_TAG_VALUE);
        let name = match before {
            0 | 1 if RESERVED.contains(&&*name) => format!("{name}()"),
            0 | 1 => name.into_owned(),
            _ => format!("{name} ({before})"),
        };
        add(&mut contexts, name, layer.fields.iter().map(|field| (&*field.name, &field.value)));
    }
    add(&mut contexts, "scope".to_owned(), scope.fields.iter().map(|field| (&*field.name, &field.value)));
    contexts.insert("os".to_owned(), os());
    let trace = scope.trace.unwrap_or_else(|| untraced(scope.correlation_id.as_deref()));
    let (span_id, trace_id) = (span_id(&trace), trace_id(&trace));
    let trace = protocol::TraceContext { span_id, trace_id, ..protocol::TraceContext::default() };
    contexts.insert("trace".to_owned(), trace.into());
    contexts
}

/// The trace of an event outside of any: that of its correlation id, or else one for the whole process.
fn untraced(correlation_id: Option<&str>) -> TraceContext {
    static PROCESS: OnceLock<TraceContext> = OnceLock::new();
    match correlation_id {
        Some(id) => TraceContext::begin(Some(id)),
        None => *PROCESS.get_or_init(|| TraceContext::begin(None)),
    }
}

/// The user of a context.
pub fn user(scope: &EventContext<'_>) -> Option<protocol::User> {
    /// The most bytes of each part.
    const MAX_PART: usize = 128;
    let contact = scope.contact.as_deref();
    let part = |part: Option<&str>| part.map(|part| limited(part, MAX_PART).into_owned());
    let id = part(scope.user.as_deref())?;
    Some(protocol::User {
        id: Some(id),
        username: part(contact.and_then(|contact| contact.name.as_deref())),
        email: part(contact.and_then(|contact| contact.email.as_deref())),
        ip_address: contact.and_then(|contact| contact.ip_address.as_deref()?.parse().ok()),
        ..protocol::User::default()
    })
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
