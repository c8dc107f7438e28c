//! Lines as JSON: one object each, always valid, no key twice.

use crate::config::validated::Config;
use crate::events::event::{Event, EventContext, Source};
use crate::events::field::{Text, Value};
use crate::exporters::log::object::{Keys, Object, write_text};
use crate::exporters::log::timestamp::Clock;

/// Whether a key is obs' own. A field that bears one of them stands under `fields`.
fn is_reserved(key: &str) -> bool {
    matches!(
        key,
        "timestamp"
            | "level"
            | "logger"
            | "message"
            | "service"
            | "environment"
            | "version"
            | "correlation_id"
            | "user"
            | "operation"
            | "trace_id"
            | "span_id"
            | "module"
            | "file"
            | "line"
            | "fields"
    )
}

/// What it takes to write a line, used again for the next one.
#[derive(Default)]
pub struct Room {
    keys: Keys,
    /// Which of the fields stand under `fields`, by their place among all.
    apart: Vec<usize>,
}

/// Writes lines as JSON.
pub struct Json {
    /// Keys and values that are the same on every line, as they stand there.
    constant: Vec<u8>,
}

impl Json {
    /// A writer for that service.
    pub fn new(config: &Config) -> Self {
        let mut constant = Vec::new();
        for (key, value) in
            [("service", &config.service_name), ("environment", &config.environment), ("version", &config.version)]
        {
            constant.extend_from_slice(b",\"");
            constant.extend_from_slice(key.as_bytes());
            constant.extend_from_slice(b"\":");
            write_text(&mut constant, value);
        }
        Self { constant }
    }

    /// Writes the line of an event, without an end of line; `left_out` lines like it were not written before.
    pub fn write(&self, event: &Event<'_>, left_out: u64, line: &mut Vec<u8>, room: &mut Room, clock: &mut Clock) {
        let Event { time, level, source, context, fact, fields: _, tags: _ } = event;
        let Source { logger, module, file, line: number } = source;
        let EventContext { correlation_id, user, operation, trace, fields: _ } = context;
        let Room { keys, apart } = room;
        let mut object = Object::begin(line, keys);
        object.line().extend_from_slice(b"\"timestamp\":\"");
        clock.write(*time, object.line());
        object.line().push(b'"');
        object.plain("level", level.as_str());
        object.plain("logger", logger);
        object.plain("message", &fact.message());
        object.line().extend_from_slice(&self.constant);
        write_texts(&mut object, &[("correlation_id", correlation_id), ("user", user), ("operation", operation)]);
        if let Some(trace) = trace {
            object.plain_display("trace_id", trace.trace_id());
            object.plain_display("span_id", trace.span_id());
        }
        write_texts(&mut object, &[("module", module), ("file", file)]);
        if let Some(number) = number {
            object.plain_number("line", *number);
        }
        write_fields(event, left_out, &mut object, apart);
        object.end();
    }
}

fn write_texts(object: &mut Object<'_>, texts: &[(&str, &Option<Text<'_>>)]) {
    for (key, text) in texts {
        if let Some(text) = text {
            object.plain(key, text);
        }
    }
}

/// Writes the fields of an event. One that bears a reserved name, or the name of a field before it, goes under `fields`.
fn write_fields(event: &Event<'_>, left_out: u64, object: &mut Object<'_>, apart: &mut Vec<usize>) {
    apart.clear();
    let mut index = 0;
    each_field(event, left_out, &mut |name, value| {
        if is_reserved(name) || !object.field(name, value) {
            apart.push(index);
        }
        index += 1;
    });
    if apart.is_empty() {
        return;
    }
    let mut object = object.nested("fields");
    let mut apart = apart.iter().peekable();
    let mut index = 0;
    each_field(event, left_out, &mut |name, value| {
        if apart.next_if_eq(&&index).is_some() && !object.field(name, value) {
            let mut number = 2;
            while !object.field(&format!("{name}_{number}"), value) {
                number += 1;
            }
        }
        index += 1;
    });
    object.end();
}

/// What happened as fields, then the event's own, then those of its scope.
fn each_field(event: &Event<'_>, left_out: u64, visit: &mut dyn FnMut(&str, &Value<'_>)) {
    event.fact.fields(&mut |name, value| visit(name, &value));
    if left_out > 0 {
        visit("left_out", &Value::from(left_out));
    }
    for field in event.fields.iter().chain(event.context.fields.iter()) {
        visit(&field.name, &field.value);
    }
}
