//! Writes one JSON object into a buffer, key by key, with no key twice.

use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use serde::Serialize;

use crate::event::Value;

/// Where in the buffer the keys stand that must not be used again.
pub type Keys = Vec<Range<usize>>;

/// A JSON object that is being written.
pub struct Object<'a> {
    line: &'a mut Vec<u8>,
    keys: &'a mut Keys,
}

impl<'a> Object<'a> {
    /// Begins an object.
    pub fn begin(line: &'a mut Vec<u8>, keys: &'a mut Keys) -> Self {
        line.push(b'{');
        keys.clear();
        Self { line, keys }
    }

    /// Ends it.
    pub fn end(self) {
        self.line.push(b'}');
    }

    /// The buffer, to write something that has been serialised before.
    pub const fn line(&mut self) -> &mut Vec<u8> {
        self.line
    }

    /// Begins an object within this one, which ends before this one goes on. Its keys are its own.
    pub fn nested(&mut self, key: &str) -> Object<'_> {
        self.plain_key(key);
        Object::begin(self.line, self.keys)
    }

    /// Writes a text under a key that needs no escape and is used once.
    pub fn plain(&mut self, key: &str, text: &str) {
        self.plain_key(key);
        serialise(self.line, text);
    }

    /// The same for what is shown without anything to escape.
    pub fn plain_display(&mut self, key: &str, shown: impl Display) {
        self.plain_key(key);
        // A buffer in memory takes all that is written to it.
        let _ = write!(self.line, "\"{shown}\"");
    }

    /// The same for a number.
    pub fn plain_number(&mut self, key: &str, number: u32) {
        self.plain_key(key);
        serialise(self.line, &number);
    }

    fn plain_key(&mut self, key: &str) {
        self.comma();
        self.line.push(b'"');
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    /// Writes a value under a key, unless the key has been used.
    pub fn field(&mut self, key: &str, value: &Value<'_>) -> bool {
        let before = self.line.len();
        self.comma();
        let start = self.line.len();
        serialise(self.line, key);
        let (written, key) = self.line.split_at(start);
        if self.keys.iter().any(|used| written[used.clone()] == *key) {
            self.line.truncate(before);
            return false;
        }
        self.keys.push(start..self.line.len());
        self.line.push(b':');
        write_value(self.line, value);
        true
    }

    fn comma(&mut self) {
        if self.line.last() != Some(&b'{') {
            self.line.push(b',');
        }
    }
}

fn write_value(line: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Text(text) => serialise(line, &**text),
        Value::Signed(number) => serialise(line, number),
        Value::Unsigned(number) | Value::Length(number) => serialise(line, number),
        Value::Float(number) if number.is_finite() => serialise(line, number),
        // JSON has no number for them.
        Value::Float(number) => serialise(
            line,
            if number.is_nan() {
                "NaN"
            } else if *number > 0.0 {
                "inf"
            } else {
                "-inf"
            },
        ),
        Value::Bool(value) => serialise(line, value),
        Value::Hash(_) => serialise(line, &*value.to_string()),
    }
}

/// Appends a value as JSON; `null` should it fail, which it does not for texts, numbers and booleans.
pub fn serialise<T: Serialize + ?Sized>(line: &mut Vec<u8>, value: &T) {
    let start = line.len();
    if serde_json::to_writer(&mut *line, value).is_err() {
        line.truncate(start);
        line.extend_from_slice(b"null");
    }
}
