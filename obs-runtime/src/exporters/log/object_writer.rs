//! Writes a JSON object into a buffer, without duplicate keys.

use std::fmt::Display;
use std::io::{self, Write as _};
use std::ops::Range;

use serde::Serialize;
use serde_json::ser::Formatter;

use crate::base::text;
use crate::events::field::{Field, Value};
use crate::events::log_span::Serialised;

/// The keys that an object has.
#[derive(Debug, Default)]
pub struct UsedKeys {
    /// The range of each key in the buffer, with its quotes.
    ranges: Vec<Range<usize>>,
    /// A Bloom filter: a key whose bit is not set is new.
    bloom: u64,
}

impl UsedKeys {
    fn clear(&mut self) {
        self.ranges.clear();
        self.bloom = 0;
    }
}

/// One of 64 bits, the same for equal keys.
fn bloom_bit(key: &[u8]) -> u64 {
    let [first, .., last] = key else { return 1 };
    let middle = key[key.len() / 2];
    let sum = key.len() + usize::from(*first) + 3 * usize::from(middle) + 7 * usize::from(*last);
    1 << (sum % 64)
}

/// A JSON object that is being written.
pub struct ObjectWriter<'a> {
    line: &'a mut Vec<u8>,
    keys: &'a mut UsedKeys,
}

impl<'a> ObjectWriter<'a> {
    /// Begins an object.
    pub fn begin(line: &'a mut Vec<u8>, keys: &'a mut UsedKeys) -> Self {
        line.push(b'{');
        keys.clear();
        Self { line, keys }
    }

    /// Ends the object.
    pub fn end(self) {
        self.line.push(b'}');
    }

    /// The buffer, for JSON that is serialised already.
    pub const fn buffer(&mut self) -> &mut Vec<u8> {
        self.line
    }

    /// Begins a nested object. Keys of this object that are written after it are not checked against those before it.
    pub fn nested(&mut self, key: &str) -> ObjectWriter<'_> {
        self.plain_key(key);
        ObjectWriter::begin(self.line, self.keys)
    }

    /// Begins a list, whose elements follow.
    pub fn begin_list(&mut self, key: &str) {
        self.plain_key(key);
        self.line.push(b'[');
    }

    /// Begins an object in a list. Keys of this object are not checked against those before it.
    pub fn element(&mut self, is_first: bool) -> ObjectWriter<'_> {
        if !is_first {
            self.line.push(b',');
        }
        ObjectWriter::begin(self.line, self.keys)
    }

    /// Ends a list.
    pub fn end_list(&mut self) {
        self.keys.clear();
        self.line.push(b']');
    }

    /// The buffer, for the value of this key, which must need no escape and be unique.
    pub fn member_of(&mut self, key: &str) -> &mut Vec<u8> {
        self.plain_key(key);
        self.line
    }

    /// Writes a string. The key must need no escape and be unique.
    #[inline]
    pub fn plain(&mut self, key: &str, text: &str) {
        self.plain_key(key);
        write_text(self.line, text);
    }

    /// Like [`plain`](Self::plain), for a text that needs no escape either.
    #[inline]
    pub fn plain_word(&mut self, key: &str, word: &str) {
        self.plain_key(key);
        self.line.push(b'"');
        self.line.extend_from_slice(word.as_bytes());
        self.line.push(b'"');
    }

    /// Like [`plain`](Self::plain), for a value whose `Display` needs no escape.
    pub fn plain_display(&mut self, key: &str, shown: impl Display) {
        self.plain_key(key);
        // Writing to a `Vec` does not fail.
        let _ = write!(self.line, "\"{shown}\"");
    }

    /// Like [`plain`](Self::plain), for a number.
    pub fn plain_number(&mut self, key: &str, number: u32) {
        self.plain_key(key);
        serialise(self.line, &number);
    }

    #[inline]
    fn plain_key(&mut self, key: &str) {
        self.comma();
        self.line.push(b'"');
        self.line.extend_from_slice(key.as_bytes());
        self.line.extend_from_slice(b"\":");
    }

    /// Writes a value, unless the object has the key already. Returns whether it was written.
    pub fn field(&mut self, key: &str, value: &Value<'_>) -> bool {
        let before = self.line.len();
        self.comma();
        let start = self.line.len();
        write_text(self.line, key);
        if !self.use_key(start, before) {
            return false;
        }
        self.line.push(b':');
        write_value(self.line, value);
        true
    }

    /// Writes what [`write_member`] has written, unless the object has the key already. Returns whether it was written.
    pub fn member(&mut self, member: &Serialised) -> bool {
        let before = self.line.len();
        self.comma();
        let start = self.line.len();
        self.line.extend_from_slice(member.key());
        let is_new = self.use_key(start, before);
        if is_new {
            self.line.extend_from_slice(member.rest());
        }
        is_new
    }

    /// Takes the key that was written at `start`, or goes back to `before` if it is used.
    fn use_key(&mut self, start: usize, before: usize) -> bool {
        let (written, key) = self.line.split_at(start);
        // Without its quotes.
        let bit = bloom_bit(key.get(1..key.len() - 1).unwrap_or_default());
        let is_used = || self.keys.ranges.iter().any(|used| written[used.clone()] == *key);
        if self.keys.bloom & bit != 0 && is_used() {
            self.line.truncate(before);
            return false;
        }
        self.keys.bloom |= bit;
        self.keys.ranges.push(start..self.line.len());
        true
    }

    fn comma(&mut self) {
        if self.line.last() != Some(&b'{') {
            self.line.push(b',');
        }
    }
}

/// Writes a field for [`ObjectWriter::member`]. Returns the length of its key.
pub fn write_member(field: &Field<'_>, member: &mut Vec<u8>) -> usize {
    write_text(member, &field.name);
    let key = member.len();
    member.push(b':');
    write_value(member, &field.value);
    key
}

fn write_value(line: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Text(text) => write_text(line, text),
        Value::Signed(number) => serialise(line, number),
        Value::Unsigned(number) | Value::Length(number) => serialise(line, number),
        Value::Float(number) if number.is_finite() => serialise(line, number),
        // JSON has no such numbers.
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

/// Appends a string as JSON.
pub fn write_text(line: &mut Vec<u8>, text: &str) {
    if needs_escape(text.as_bytes()) {
        return serialise(line, text);
    }
    line.push(b'"');
    line.extend_from_slice(text.as_bytes());
    line.push(b'"');
}

/// Whether a string may contain a character that is escaped. Compares 16 bytes at a time; the last ones of a text may be
/// compared twice, and those of a short text are filled up.
fn needs_escape(text: &[u8]) -> bool {
    if let Some(last) = text.last_chunk() {
        let (chunks, _) = text.as_chunks();
        return chunks.iter().any(any_escaped) || any_escaped(last);
    }
    let mut chunk = [b' '; 16];
    if let (Some(first), Some(last)) = (text.first_chunk::<8>(), text.last_chunk::<8>()) {
        chunk[..8].copy_from_slice(first);
        chunk[8..].copy_from_slice(last);
    } else if let (Some(first), Some(last)) = (text.first_chunk::<4>(), text.last_chunk::<4>()) {
        chunk[..4].copy_from_slice(first);
        chunk[4..8].copy_from_slice(last);
    } else {
        chunk.iter_mut().zip(text).for_each(|(filled, byte)| *filled = *byte);
    }
    any_escaped(&chunk)
}

/// Without an early return and with a pass for each test, so that it is a few vector instructions.
#[inline]
fn any_escaped(chunk: &[u8; 16]) -> bool {
    let any = |test: fn(u8) -> bool| chunk.iter().fold(false, |any, byte| any | test(*byte));
    // Control characters, and `"`, which is 0x22.
    any(|byte| byte ^ 2 <= 0x20)
        | any(|byte| byte == b'\\')
        | any(|byte| byte == 0x7f)
        // 0xc2 and 0xe2: the first bytes of the characters that `SafeStrings` escapes.
        | any(|byte| byte & 0xdf == 0xc2)
}

/// Compact JSON that also escapes the characters that a terminal or a viewer acts on.
struct SafeStrings;

impl Formatter for SafeStrings {
    fn write_string_fragment<W: io::Write + ?Sized>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()> {
        let mut rest = fragment;
        while let Some(c) = rest.chars().find(|c| text::is_active(*c)) {
            let Some((before, after)) = rest.split_once(c) else { break };
            // All of them have at most 16 bits.
            write!(writer, "{before}\\u{:04x}", u32::from(c))?;
            rest = after;
        }
        writer.write_all(rest.as_bytes())
    }
}

/// Appends a value as JSON, or `null` when that fails. It does not fail for strings, numbers and booleans.
fn serialise<T: Serialize + ?Sized>(line: &mut Vec<u8>, value: &T) {
    let start = line.len();
    if value.serialize(&mut serde_json::Serializer::with_formatter(&mut *line, SafeStrings)).is_err() {
        line.truncate(start);
        line.extend_from_slice(b"null");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_character_is_escaped_at_every_place_of_every_length() {
        for length in 1..40 {
            for at in 0..length {
                let mut text = vec!['x'; length];
                text[at] = '"';
                let text: String = text.into_iter().collect();
                let mut line = Vec::new();
                write_text(&mut line, &text);
                assert_eq!(line, serde_json::to_vec(&text).unwrap(), "{length} {at}");
            }
            assert!(!needs_escape("x".repeat(length).as_bytes()));
        }
        for byte in (0..0x20).chain(*b"\"\\\x7f") {
            assert!(needs_escape(&[byte]), "{byte}");
        }
        for text in ["\u{9b}", "\u{2028}", "\u{202e}"] {
            assert!(needs_escape(text.as_bytes()), "{text:?}");
        }
        assert!(!needs_escape(b"") && !needs_escape("schön".as_bytes()));
    }
}
