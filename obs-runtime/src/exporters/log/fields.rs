//! The fields of an event in a JSON line.

use crate::events::event::Event;
use crate::events::field::{Text, Value};
use crate::exporters::log::object_writer::{ObjectWriter, UsedKeys, write_member};

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
    pub keys: UsedKeys,
    /// Indices of the fields that go under `fields`.
    pub nested: Vec<usize>,
}

/// Writes a text if there is one. Inlined, so that the key is written as a constant.
#[inline]
pub fn optional(object: &mut ObjectWriter<'_>, key: &str, text: Option<&Text<'_>>) {
    if let Some(text) = text {
        object.plain(key, text);
    }
}

/// Writes the fields of an event. A field whose name goes aside, or that has the name of an earlier field, goes under `fields`.
pub fn write_fields(
    event: &Event<'_>,
    left_out: u64,
    object: &mut ObjectWriter<'_>,
    nested: &mut Vec<usize>,
    goes_aside: fn(&str) -> bool,
) {
    nested.clear();
    let mut index = 0;
    let serialised = event.context.spans.redacted().map(|spans| spans.serialised(write_member));
    each_of_fields(event, left_out, &mut |name, value, of_span| {
        let is_written = !goes_aside(name)
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
