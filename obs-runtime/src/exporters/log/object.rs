//! Writes one JSON object into a buffer, key by key, with no key twice.

use std::fmt::Display;
use std::io::Write as _;
use std::ops::Range;

use serde::Serialize;

use crate::events::field::Value;

/// The keys that must not be used again.
#[derive(Debug, Default)]
pub struct Keys {
    /// Where in the buffer they stand.
    places: Vec<Range<usize>>,
    /// A bit for each of them, by what it is like: one whose bit is not set is there for the first time.
    like: u64,
}

impl Keys {
    fn clear(&mut self) {
        self.places.clear();
        self.like = 0;
    }
}

/// One of 64 bits, the same for equal keys.
fn likeness(key: &[u8]) -> u64 {
    let [first, .., last] = key else { return 1 };
    let middle = key[key.len() / 2];
    let sum = key.len() + usize::from(*first) + 3 * usize::from(middle) + 7 * usize::from(*last);
    1 << (sum % 64)
}

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
        write_text(self.line, text);
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
        write_text(self.line, key);
        let (written, written_key) = self.line.split_at(start);
        let like = likeness(key.as_bytes());
        let is_used = || self.keys.places.iter().any(|used| written[used.clone()] == *written_key);
        if self.keys.like & like != 0 && is_used() {
            self.line.truncate(before);
            return false;
        }
        self.keys.like |= like;
        self.keys.places.push(start..self.line.len());
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
        Value::Text(text) => write_text(line, text),
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

/// Appends a text as JSON.
pub fn write_text(line: &mut Vec<u8>, text: &str) {
    // Without an early end, so that many bytes are looked at at once.
    let escaped = |byte: u8| u8::from(byte < 0x20) | u8::from(byte == b'"') | u8::from(byte == b'\\');
    if text.bytes().fold(0, |any, byte| any | escaped(byte)) != 0 {
        return serialise(line, text);
    }
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
}

/// Appends a value as JSON; `null` should it fail, which it does not for texts, numbers and booleans.
fn serialise<T: Serialize + ?Sized>(line: &mut Vec<u8>, value: &T) {
    let start = line.len();
    if serde_json::to_writer(&mut *line, value).is_err() {
        line.truncate(start);
        line.extend_from_slice(b"null");
    }
}
