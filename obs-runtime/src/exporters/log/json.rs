//! The JSON format: one valid object a line, without duplicate keys.

use crate::config::log_layout::{LogLayout, LogTime};
use crate::config::validated::Config;
use crate::events::event::{Event, EventContext, Source};
use crate::events::log_span::RedactedSpans;
use crate::exporters::log::fields::{JsonBuffers, is_reserved, optional, write_fields};
use crate::exporters::log::layout::Layout;
use crate::exporters::log::object_writer::{ObjectWriter, write_text};
use crate::exporters::log::timestamp::{self, TimestampFormatter};

/// The JSON format.
pub struct JsonFormat {
    /// Serialised keys and values that are the same on every line.
    constant: Vec<u8>,
    /// Whether lines have a list of all spans.
    spans: bool,
    /// Whether the fields of an event go under `fields`.
    nests: bool,
    time: LogTime,
    /// Another layout than that of obs.
    layout: Option<Layout>,
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
        let nests = config.log_layout == LogLayout::Nested;
        Self { constant, spans: config.log_spans, nests, time: config.log_time, layout: Layout::new(config) }
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
        if let Some(layout) = &self.layout {
            return layout.write(event, left_out, line, buffers, timestamps);
        }
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
        object.buffer().extend_from_slice(b"\"timestamp\":");
        timestamp::write_value(self.time, *time, timestamps, object.buffer());
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
        let goes_aside: fn(&str) -> bool = if self.nests { |_| true } else { is_reserved };
        write_fields(event, left_out, &mut object, nested, goes_aside);
        object.end();
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
