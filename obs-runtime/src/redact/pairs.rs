//! Secrets that follow their name in a text: `password=…`, `"token": "…"`, `Cookie: …`, `--api-key …`, `secret: Some("…")`.

use std::ops::Range;

use crate::base::secret::MASK;
use crate::base::text;
use crate::redact::names::{Kind, Names, SecretName};
use crate::redact::spans::Spans;

/// Maximum length of a name.
const MAX_NAME: usize = 64;

/// Finds the values of names that indicate secrets.
pub fn find(text: &str, names: &Names, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let value = match bytes[index] {
            b':' | b'=' => name_before(text, index, names).and_then(|name| value(text, index + 1, name)),
            b'-' if bytes[..index].ends_with(b"-") => {
                option(text, index + 1, names).and_then(|(end, name)| value(text, end, Name { bare: false, ..name }))
            }
            b'"' | b'\'' | b'`' => stated(text, index, names).and_then(|name| value(text, index, name)),
            _ => None,
        };
        index = match value {
            Some(span) => {
                let end = span.end;
                spans.add(span);
                end.max(index + 1)
            }
            None => index + 1,
        };
    }
}

/// A name in a text that indicates a secret.
#[derive(Clone, Copy)]
pub struct Name {
    secret: SecretName,
    /// Followed by a colon and not quoted, as a word of prose can be.
    bare: bool,
}

impl Name {
    /// Whether name and value are more likely words of prose, as in "invalid session: timed out".
    fn is_prose_before(self, value: &str) -> bool {
        self.bare && self.secret.is_prose() && self.secret.is_exact() && !is_like_a_secret(value)
    }
}

/// The name of a secret before the `:` or `=` at `index`.
pub fn name_before(text: &str, index: usize, names: &Names) -> Option<Name> {
    let bytes = text.as_bytes();
    let colon = bytes[index] == b':';
    let next = bytes.get(index + 1);
    // Neither a path such as `token::parse` nor a URL is a pair.
    if colon && (next == Some(&b':') || bytes[..index].ends_with(b":") || bytes[index + 1..].starts_with(b"//")) {
        return None;
    }
    let between = bytes[..index]
        .iter()
        .rev()
        .take(4)
        .take_while(|byte| matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`' | b']' | b'?'))
        .count();
    let end = index - between;
    let start = end - bytes[..end].iter().rev().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let quoted = bytes[end..index].iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b']'));
    match names.kind(text::part(text, start..end)) {
        Kind::Secret(secret) => Some(Name { secret, bare: colon && !quoted }),
        Kind::Plain | Kind::Sql => None,
    }
}

/// The name of a secret that is a command-line option at `index`, and its end. `--name=value` is found as a pair.
pub fn option(text: &str, index: usize, names: &Names) -> Option<(usize, Name)> {
    let bytes = text.as_bytes();
    let end = index + bytes[index..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    match names.kind(text::part(text, index..end)) {
        Kind::Secret(secret) if bytes.get(end) == Some(&b' ') => Some((end, Name { secret, bare: false })),
        Kind::Secret(_) | Kind::Plain | Kind::Sql => None,
    }
}

/// The name of a secret in a sentence that states its value, as in "the password is `…`", with the quote at `index`.
pub fn stated(text: &str, index: usize, names: &Names) -> Option<Name> {
    let before = &text.as_bytes()[..index];
    let before = before.strip_suffix(b"\\").unwrap_or(before);
    let before = [&b" is "[..], b" was ", b" of "].into_iter().find_map(|verb| before.strip_suffix(verb))?;
    let start = before.len() - before.iter().rev().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    match names.kind(text::part(text, start..before.len())) {
        Kind::Secret(secret) => Some(Name { secret, bare: true }),
        Kind::Plain | Kind::Sql => None,
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The part to hide of the value that starts after a name's separator.
fn value(text: &str, from: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let skip = |from: usize, skipped: &[u8]| {
        from + bytes[from..].iter().take(8).take_while(|byte| skipped.contains(byte)).count()
    };
    let start = skip(from, b" \t=>");
    let spaced = start > from;
    let escaped = skip(start, b"\\");
    let inside = skip_wrappers(bytes, escaped);
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(inside).copied() {
        let end = quoted_end(bytes, inside + 1, quote, inside > 0 && bytes[inside - 1] == b'\\');
        // "unexpected token: `}`"
        if (quote != b'"' || name.bare && start == from) && name.is_prose_before(text::part(text, inside + 1..end)) {
            return None;
        }
        return hidden(text, inside + 1..end, name);
    }
    let rest = text::from(text, start);
    if rest.starts_with(MASK) {
        return None;
    }
    if name.secret.is_header() && spaced {
        let end = rest.find(['\r', '\n', '"', '\'']).unwrap_or(rest.len());
        return hidden(text, start..start + end, name);
    }
    if rest.starts_with(['[', '{']) {
        // Properties of secrets, such as `token_counts: [`, are not secret: their brackets are not searched for an end.
        if name.secret.is_property() {
            return None;
        }
        return hidden(text, start..start + bracket_end(rest.as_bytes()), name);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '"' | '\'' | '<' | '>' | '`' | '\\' | '|');
    let word = rest.split(ends).next().unwrap_or_default();
    let word = word.trim_end_matches([',', '.', ')', ']', '}', ':']);
    if spaced && name.is_prose_before(word) || is_placeholder(word) {
        return None;
    }
    hidden(text, start..start + groups_end(rest, word.len()), name)
}

/// The end of a value. A number written in groups, such as `+49 151 23456789`, ends with its last group.
fn groups_end(text: &str, first: usize) -> usize {
    /// Maximum number of digits of a telephone number, by E.164.
    const MAX_DIGITS: usize = 15;
    let is_group = |group: &str| {
        group.bytes().any(|byte| byte.is_ascii_digit())
            && group.bytes().all(|byte| byte.is_ascii_digit() || b"+()-/.".contains(&byte))
    };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let mut end = first;
    while is_group(text::until(text, end).rsplit(' ').next().unwrap_or_default())
        && let Some(rest) = text::from(text, end).strip_prefix(' ')
    {
        let group = rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '&')).next();
        let group = group.unwrap_or_default().trim_end_matches(['.', ')']);
        if !is_group(group) || digits(text::until(text, end)) + digits(group) > MAX_DIGITS {
            break;
        }
        end += 1 + group.len();
    }
    end
}

/// The value if it has to be hidden.
fn hidden(text: &str, value: Range<usize>, name: Name) -> Option<Range<usize>> {
    let text = text::part(text, value.clone());
    (!text.starts_with(MASK) && name.secret.hides_text(text)).then_some(value)
}

/// The position after what `Debug` writes around a text: `Some(`, `Secret(`, `[`.
fn skip_wrappers(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    // At most two wrappers.
    for _ in 0..2 {
        let word = bytes[at..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte) || **byte == b':').count();
        match bytes.get(at + word) {
            Some(b'(') => at += word + 1,
            _ => break,
        }
    }
    match bytes.get(at) {
        Some(b'"' | b'\'' | b'`') => at,
        Some(b'\\') if bytes.get(at + 1) == Some(&b'"') => at + 1,
        _ => start,
    }
}

/// The end of a quoted text: the position of the closing quote, or the end of the text.
fn quoted_end(bytes: &[u8], start: usize, quote: u8, escaped: bool) -> usize {
    let mut index = start;
    while index < bytes.len() {
        match bytes[index] {
            b'\\' if escaped && bytes.get(index + 1) == Some(&quote) => return index,
            b'\\' => index += 2,
            byte if byte == quote => return index,
            _ => index += 1,
        }
    }
    bytes.len()
}

/// The end of a list or object: the position after the closing bracket, or the end of the text.
fn bracket_end(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    bytes.len()
}

/// Whether a word after `token:` is not a word of prose.
fn is_like_a_secret(word: &str) -> bool {
    word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() >= 16
}

/// Whether a word means that there is no value, or that it is filled in elsewhere.
fn is_placeholder(word: &str) -> bool {
    matches!(word, "" | "None" | "null" | "nil" | "undefined" | "NULL" | "true" | "false" | "?" | "%s" | "{")
}
