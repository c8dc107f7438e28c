//! The JSON format: one valid object a line, without duplicate keys.

use crate::config::validated::Config;
use crate::events::event::{Event, EventContext, Source};
use crate::events::field::{Text, Value};
use crate::events::log_span::RedactedSpans;
use crate::exporters::log::object_writer::{ObjectWriter, UsedKeys, write_member, write_text};
use crate::exporters::log::timestamp::TimestampFormatter;

/// Whether obs writes this key itself. A field with such a name goes under `fields`.
pub fn is_reserved(key: &str) -> bool {
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
            | "span"
            | "spans"
            | "module"
            | "file"
            | "line"
            | "fields"
    )
}

/// Buffers that are reused for each line.
#[derive(Default)]
pub struct JsonBuffers {
    keys: UsedKeys,
    /// Indices of the fields that go under `fields`.
    nested: Vec<usize>,
}

/// The JSON format.
pub struct JsonFormat {
    /// Serialised keys and values that are the same on every line.
    constant: Vec<u8>,
    /// Whether lines have a list of all spans.
    spans: bool,
}

impl JsonFormat {
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
        Self { constant, spans: config.log_spans }
    }

    /// Writes an event, without an end of line. `left_out` is the number of similar lines that sampling left out before it.
    pub fn write(
        &self,
        event: &Event<'_>,
        left_out: u64,
        line: &mut Vec<u8>,
        buffers: &mut JsonBuffers,
        timestamps: &mut TimestampFormatter,
    ) {
        let Event { time, level, source, context, fact, fields: _, tags: _ } = event;
        let Source { logger, module, file, line: number } = source;
        let EventContext {
            correlation_id,
            user,
            operation,
            trace,
            contact: _,
            fields: _,
            field_serials: _,
            spans,
            tags: _,
            level: _,
        } = context;
        let JsonBuffers { keys, nested } = buffers;
        let mut object = ObjectWriter::begin(line, keys);
        object.buffer().extend_from_slice(b"\"timestamp\":\"");
        timestamps.write(*time, object.buffer());
        object.buffer().push(b'"');
        object.plain_word("level", level.as_str());
        object.plain("logger", logger);
        object.plain("message", &fact.message());
        object.buffer().extend_from_slice(&self.constant);
        optional(&mut object, "correlation_id", correlation_id.as_ref());
        optional(&mut object, "user", user.as_ref());
        optional(&mut object, "operation", operation.as_ref());
        if let Some(trace) = trace {
            object.plain_display("trace_id", trace.trace_id());
            object.plain_display("span_id", trace.span_id());
        }
        if let Some(spans) = spans.redacted() {
            object.plain("span", spans.name());
            if self.spans {
                write_spans(spans, &mut object);
            }
        }
        optional(&mut object, "module", module.as_ref());
        optional(&mut object, "file", file.as_ref());
        if let Some(number) = number {
            object.plain_number("line", *number);
        }
        write_fields(event, left_out, &mut object, nested);
        object.end();
    }
}

/// Inlined, so that the key is written as a constant.
#[inline]
fn optional(object: &mut ObjectWriter<'_>, key: &str, text: Option<&Text<'_>>) {
    if let Some(text) = text {
        object.plain(key, text);
    }
}

/// Writes the spans as a list of objects, outermost first. A field named `name` goes under `fields`.
fn write_spans(spans: &RedactedSpans, object: &mut ObjectWriter<'_>) {
    object.begin_list("spans");
    for (index, span) in spans.spans.iter().enumerate() {
        let mut object = object.element(index == 0);
        object.plain("name", span.name);
        if !span.fields.is_empty() {
            let mut fields = object.nested("fields");
            for field in &span.fields {
                fields.field(&field.name, &field.value);
            }
            fields.end();
        }
        object.end();
    }
    object.end_list();
}

/// Writes the fields of an event. A field with a reserved name or the name of an earlier field goes under `fields`.
fn write_fields(event: &Event<'_>, left_out: u64, object: &mut ObjectWriter<'_>, nested: &mut Vec<usize>) {
    nested.clear();
    let mut index = 0;
    let serialised = event.context.spans.redacted().map(|spans| spans.serialised(write_member));
    each_of_fields(event, left_out, &mut |name, value, of_span| {
        let is_written = !is_reserved(name)
            && match of_span.and_then(|index| serialised?.get(index)) {
                Some(member) => object.member(member),
                None => object.field(name, value),
            };
        if !is_written {
            nested.push(index);
        }
        index += 1;
    });
    if nested.is_empty() {
        return;
    }
    let mut object = object.nested("fields");
    let mut nested = nested.iter().peekable();
    let mut index = 0;
    each_field(event, left_out, &mut |name, value| {
        if nested.next_if_eq(&&index).is_some() && !object.field(name, value) {
            let mut number = 2;
            while !object.field(&format!("{name}_{number}"), value) {
                number += 1;
            }
        }
        index += 1;
    });
    object.end();
}

/// Visits the fields of the fact, of the event, of its spans, and of its context.
pub fn each_field(event: &Event<'_>, left_out: u64, visit: &mut dyn FnMut(&str, &Value<'_>)) {
    each_of_fields(event, left_out, &mut |name, value, _| visit(name, value));
}

/// The same, with the index of a field of a span.
fn each_of_fields(event: &Event<'_>, left_out: u64, visit: &mut dyn FnMut(&str, &Value<'_>, Option<usize>)) {
    event.fact.fields(&mut |name, value| visit(name, &value, None));
    if left_out > 0 {
        visit("left_out", &Value::from(left_out), None);
    }
    for field in &event.fields {
        visit(&field.name, &field.value, None);
    }
    for (index, field) in event.span_fields() {
        visit(&field.name, &field.value, Some(index));
    }
    for field in event.context_fields() {
        visit(&field.name, &field.value, None);
    }
}
