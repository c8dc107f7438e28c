//! Collects the fields of a `tracing` event or span into one buffer. Contains panics of values while they are formatted.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write as _};
use std::ops::Range;

use tracing_core::field::{self, Visit};

use crate::events::field::{Field, Text, Value};
use crate::events::field_buffer;
use crate::events::panics::caught;

/// The field that holds an event's message.
const MESSAGE: &str = "message";
/// Replaces a value whose formatting panicked.
const PANICKED: &str = "<panicked while formatting>";
/// Replaces a value whose formatting failed.
const FAILED: &str = "<could not be formatted>";
/// The longest chain of sources that is formatted.
const MAX_SOURCES: usize = 32;
/// A larger buffer is freed after the event that needed it.
const MAX_KEPT_CAPACITY: usize = 64 * 1024;

/// Fields whose texts share one buffer.
#[derive(Debug, Default)]
pub struct Collected {
    text: String,
    entries: Vec<(&'static str, Part)>,
    /// How many of the first entries are those of a record of the `log` crate.
    of_log_record: usize,
}

#[derive(Clone, Debug)]
enum Part {
    Text(Range<usize>),
    Signed(i64),
    Unsigned(u64),
    Float(f64),
    Bool(bool),
}

/// The fields in which `tracing-log` puts the source of a record of the `log` crate.
const LOG_TARGET: &str = "log.target";
const LOG_MODULE: &str = "log.module_path";
const LOG_FILE: &str = "log.file";
const LOG_LINE: &str = "log.line";

/// The source of a record of the `log` crate.
#[derive(Debug, Default)]
pub struct LogSource<'a> {
    pub target: Option<&'a str>,
    pub module: Option<&'a str>,
    pub file: Option<&'a str>,
    pub line: Option<u32>,
}

impl Collected {
    /// Removes everything and keeps the capacity.
    pub fn clear(&mut self) {
        self.text.clear();
        self.entries.clear();
        self.of_log_record = 0;
    }

    /// Frees a very large buffer.
    pub fn shrink(&mut self) {
        if self.text.capacity() > MAX_KEPT_CAPACITY {
            self.text = String::new();
        }
    }

    /// The event's message.
    pub fn message(&self) -> Option<Text<'_>> {
        let (_, part) = self.entries.iter().find(|(name, _)| *name == MESSAGE)?;
        Some(match self.value(part) {
            Value::Text(text) => text,
            other => Cow::Owned(other.to_string()),
        })
    }

    /// Whether there is a field of that name.
    pub fn has(&self, name: &str) -> bool {
        self.entries.iter().any(|(other, _)| *other == name)
    }

    /// The field of that name, if it is a text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.text_of(name)
    }

    /// Marks the fields collected so far as those of a record of the `log` crate.
    pub const fn mark_log_record(&mut self) {
        self.of_log_record = self.entries.len();
    }

    /// All fields except the message and the source of a record of the `log` crate.
    pub fn fields(&self) -> Vec<Field<'_>> {
        let mut fields = field_buffer::take();
        fields.reserve(self.entries.len());
        for (name, part) in self.of_event() {
            fields.push(Field { name: Cow::Borrowed(name), value: self.value(part) });
        }
        fields
    }

    /// All fields, on their own.
    pub fn to_fields(&self) -> Vec<Field<'static>> {
        self.entries.iter().map(|(name, part)| self.owned(name, part)).collect()
    }

    /// The same as [`fields`](Self::fields), on their own.
    #[cfg(feature = "otlp")]
    pub fn to_fields_of_event(&self) -> Vec<Field<'static>> {
        self.of_event().map(|(name, part)| self.owned(name, part)).collect()
    }

    fn owned(&self, name: &'static str, part: &Part) -> Field<'static> {
        let value = match self.value(part) {
            Value::Text(text) => Value::Text(Cow::Owned(text.into_owned())),
            Value::Signed(number) => Value::Signed(number),
            Value::Unsigned(number) | Value::Length(number) | Value::Hash(number) => Value::Unsigned(number),
            Value::Float(number) => Value::Float(number),
            Value::Bool(value) => Value::Bool(value),
        };
        Field { name: Cow::Borrowed(name), value }
    }

    /// The entries except the message and the source of a record of the `log` crate.
    fn of_event(&self) -> impl Iterator<Item = (&'static str, &Part)> {
        const SOURCE: [&str; 4] = [LOG_TARGET, LOG_MODULE, LOG_FILE, LOG_LINE];
        // A further field of that name is no message.
        let message = self.entries.iter().position(|(name, _)| *name == MESSAGE);
        let own = self.entries.iter().enumerate().filter(move |(index, (name, _))| {
            Some(*index) != message && (*index >= self.of_log_record || !SOURCE.contains(name))
        });
        own.map(|(_, (name, part))| (*name, part))
    }

    /// The source of a record of the `log` crate; empty for other events.
    pub fn log_source(&self) -> LogSource<'_> {
        if self.of_log_record == 0 {
            return LogSource::default();
        }
        let line = self.entries.iter().find_map(|(name, part)| match part {
            Part::Unsigned(line) if *name == LOG_LINE => u32::try_from(*line).ok(),
            _ => None,
        });
        LogSource {
            target: self.text_of(LOG_TARGET),
            module: self.text_of(LOG_MODULE),
            file: self.text_of(LOG_FILE),
            line,
        }
    }

    /// Overwrites fields with values recorded later.
    #[cfg(any(feature = "otlp", feature = "sentry"))]
    pub fn update(&mut self, later: &Self) {
        for (name, part) in &later.entries {
            let part = self.copy(later, part);
            match self.entries.iter_mut().find(|(other, _)| other == name) {
                Some((_, before)) => *before = part,
                None => self.entries.push((name, part)),
            }
        }
        self.compact();
    }

    /// Removes overwritten texts, so that a span that records forever stays as small as its fields.
    #[cfg(any(feature = "otlp", feature = "sentry"))]
    fn compact(&mut self) {
        let live: usize =
            self.entries.iter().map(|(_, part)| if let Part::Text(at) = part { at.len() } else { 0 }).sum();
        if self.text.len() <= 2 * live + 1024 {
            return;
        }
        let mut text = String::with_capacity(live);
        for (_, part) in &mut self.entries {
            if let Part::Text(at) = part {
                let start = text.len();
                text.push_str(self.text.get(at.clone()).unwrap_or_default());
                *at = start..text.len();
            }
        }
        self.text = text;
    }

    #[cfg(any(feature = "otlp", feature = "sentry"))]
    fn copy(&mut self, other: &Self, part: &Part) -> Part {
        match part {
            Part::Text(at) => self.push(other.text.get(at.clone()).unwrap_or_default()),
            part => part.clone(),
        }
    }

    fn push(&mut self, text: &str) -> Part {
        let start = self.text.len();
        self.text.push_str(text);
        Part::Text(start..self.text.len())
    }

    fn text_of(&self, name: &str) -> Option<&str> {
        self.entries.iter().find_map(|(other, part)| match part {
            Part::Text(at) if *other == name => self.text.get(at.clone()),
            _ => None,
        })
    }

    fn value(&self, part: &Part) -> Value<'_> {
        match part {
            Part::Text(at) => Value::Text(Cow::Borrowed(self.text.get(at.clone()).unwrap_or_default())),
            Part::Signed(number) => Value::Signed(*number),
            Part::Unsigned(number) => Value::Unsigned(*number),
            Part::Float(number) => Value::Float(*number),
            Part::Bool(value) => Value::Bool(*value),
        }
    }

    /// Formats a value by the user's code, which may panic or fail.
    fn format(&mut self, write: impl FnOnce(&mut String) -> fmt::Result) -> Part {
        let start = self.text.len();
        let written = caught(|| write(&mut self.text));
        let replacement = match written {
            Ok(Ok(())) => return Part::Text(start..self.text.len()),
            Ok(Err(_)) => FAILED,
            Err(_) => PANICKED,
        };
        self.text.truncate(start);
        self.push(replacement)
    }

    fn add(&mut self, field: &field::Field, part: Part) {
        let name = field.name();
        // Some versions of `tracing` keep the prefix of `r#return`.
        self.entries.push((name.strip_prefix("r#").unwrap_or(name), part));
    }
}

impl Visit for Collected {
    fn record_f64(&mut self, field: &field::Field, value: f64) {
        self.add(field, Part::Float(value));
    }

    fn record_i64(&mut self, field: &field::Field, value: i64) {
        self.add(field, Part::Signed(value));
    }

    fn record_u64(&mut self, field: &field::Field, value: u64) {
        self.add(field, Part::Unsigned(value));
    }

    fn record_bool(&mut self, field: &field::Field, value: bool) {
        self.add(field, Part::Bool(value));
    }

    fn record_str(&mut self, field: &field::Field, value: &str) {
        let part = self.push(value);
        self.add(field, part);
    }

    fn record_error(&mut self, field: &field::Field, value: &(dyn Error + 'static)) {
        let part = self.format(|text| {
            write!(text, "{value}")?;
            let mut source = value.source();
            for _ in 0..MAX_SOURCES {
                let Some(error) = source else { break };
                write!(text, ": {error}")?;
                source = error.source();
            }
            Ok(())
        });
        self.add(field, part);
    }

    fn record_debug(&mut self, field: &field::Field, value: &dyn fmt::Debug) {
        let part = self.format(|text| write!(text, "{value:?}"));
        self.add(field, part);
    }
}
