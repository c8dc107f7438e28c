//! The text format: `time LEVEL message [id=…, op=…, user=…] | k=v …`, always one line, but for the backtrace of a panic, whose
//! lines follow indented.

use std::io::Write as _;

use crate::base::level::Level;
use crate::base::text;
use crate::events::event::{Event, EventContext};
use crate::events::field::{Field, Value};
use crate::events::log_span::RedactedSpans;
use crate::exporters::log::timestamp::TimestampFormatter;

/// The text format.
#[derive(Clone, Copy, Debug)]
pub struct TextFormat {
    /// Whether the level and the time are coloured.
    pub coloured: bool,
}

const RESET: &str = "\x1b[0m";
const DIM: &str = "\x1b[2m";

impl TextFormat {
    /// Writes an event, without an end of line. `left_out` is the number of similar lines that sampling left out before it.
    pub fn write(self, event: &Event<'_>, left_out: u64, line: &mut Vec<u8>, timestamps: &mut TimestampFormatter) {
        let Event { time, level, source, context, fact, fields, tags: _ } = event;
        self.coloured(DIM, line, |line| timestamps.write(*time, line));
        line.push(b' ');
        // As wide as the longest level.
        self.coloured(colour(*level), line, |line| put(line, format_args!("{level:<8}")));
        line.push(b' ');
        write_message(&fact.message(), line);
        write_scope(context, &source.logger, line);
        let mut separator = " | ";
        let mut write = |name: &str, value: &Value<'_>| {
            line.extend_from_slice(std::mem::replace(&mut separator, " ").as_bytes());
            escape(name, line);
            line.push(b'=');
            write_value(value, line);
        };
        fact.fields(&mut |name, value| write(name, &value));
        if left_out > 0 {
            write("left_out", &Value::from(left_out));
        }
        let backtrace = fields.iter().position(|field| is_backtrace(event, field));
        for (index, field) in fields.iter().enumerate() {
            if Some(index) != backtrace {
                write(&field.name, &field.value);
            }
        }
        for field in event.span_fields().map(|(_, field)| field).chain(event.context_fields()) {
            write(&field.name, &field.value);
        }
        if let Some(Value::Text(backtrace)) = backtrace.map(|index| &fields[index].value) {
            for frame in backtrace.lines() {
                line.extend_from_slice(b"\n    ");
                escape(frame, line);
            }
        }
    }

    /// Writes a part of the line in a colour, if the format is coloured.
    pub fn coloured(self, colour: &str, line: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.coloured {
            line.extend_from_slice(colour.as_bytes());
            write(line);
            line.extend_from_slice(RESET.as_bytes());
        } else {
            write(line);
        }
    }
}

/// Whether a field is the backtrace on the line that obs writes about a panic.
fn is_backtrace(event: &Event<'_>, field: &Field<'_>) -> bool {
    field.name == "backtrace" && event.source.logger == "obs_runtime" && event.level == Level::Error
}

/// The colour of a level.
pub const fn colour(level: Level) -> &'static str {
    match level {
        Level::Trace => DIM,
        Level::Debug => "\x1b[34m",
        Level::Info => "\x1b[32m",
        Level::Warning => "\x1b[33m",
        Level::Error => "\x1b[31m",
        Level::Critical => "\x1b[1;31m",
    }
}

fn write_scope(scope: &EventContext<'_>, logger: &str, line: &mut Vec<u8>) {
    // Trace ids are left to the JSON format.
    let EventContext {
        correlation_id,
        user,
        operation,
        contact: _,
        trace: _,
        fields: _,
        field_serials: _,
        spans,
        tags: _,
        level: _,
    } = scope;
    let span = spans.redacted().map(RedactedSpans::name);
    let logger = Some(logger).filter(|logger| !logger.is_empty());
    let mut opening = " [";
    for (name, text) in [
        ("id=", correlation_id.as_deref()),
        ("op=", operation.as_deref()),
        ("user=", user.as_deref()),
        ("span=", span),
        ("logger=", logger),
    ] {
        if let Some(text) = text {
            line.extend_from_slice(std::mem::replace(&mut opening, ", ").as_bytes());
            line.extend_from_slice(name.as_bytes());
            escape(text, line);
        }
    }
    if opening == ", " {
        line.push(b']');
    }
}

/// Writes a message, in quotes if a part of it looks like what follows a message.
fn write_message(message: &str, line: &mut Vec<u8>) {
    if message.starts_with('"')
        || [" [id=", " [op=", " [user=", " [span=", " [logger=", " | "].iter().any(|part| message.contains(part))
    {
        write_quoted(message, line);
    } else {
        escape(message, line);
    }
}

fn write_value(value: &Value<'_>, line: &mut Vec<u8>) {
    match value {
        Value::Text(text) if is_bare(text) => line.extend_from_slice(text.as_bytes()),
        Value::Text(text) => write_quoted(text, line),
        Value::Signed(_)
        | Value::Unsigned(_)
        | Value::Float(_)
        | Value::Bool(_)
        | Value::Hash(_)
        | Value::Length(_) => put(line, format_args!("{value}")),
    }
}

fn write_quoted(text: &str, line: &mut Vec<u8>) {
    line.push(b'"');
    for (index, part) in text.split('"').enumerate() {
        line.extend_from_slice(if index == 0 { b"" } else { b"\\\"" });
        escape(part, line);
    }
    line.push(b'"');
}

/// Whether a string needs no quotes.
fn is_bare(text: &str) -> bool {
    !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || text::is_active(c) || matches!(c, '"' | '=' | '|'))
}

/// Appends a string. Escapes ends of lines, control characters and bidirectional overrides.
pub fn escape(text: &str, line: &mut Vec<u8>) {
    let mut copied = 0;
    for (index, c) in text.char_indices().filter(|(_, c)| text::is_active(*c)) {
        line.extend_from_slice(&text.as_bytes()[copied..index]);
        put(line, format_args!("{}", c.escape_default()));
        copied = index + c.len_utf8();
    }
    line.extend_from_slice(&text.as_bytes()[copied..]);
}

fn put(line: &mut Vec<u8>, words: std::fmt::Arguments<'_>) {
    // Writing to a `Vec` does not fail.
    let _ = line.write_fmt(words);
}
