//! Secrets that are named in a text: `password=…`, `"token": "…"`, `Cookie: …`, `--api-key …`, `secret: Some("…")`.

use std::ops::Range;

use crate::base::secret::MASK;
use crate::redact::names::{Kind, Names, SecretName};
use crate::redact::spans::Spans;

/// Longest name that is looked for.
const NAME: usize = 64;

/// Finds the values of secrets' names.
pub fn find(text: &str, names: &Names, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let value = match bytes[index] {
            b':' | b'=' => name_before(text, index, names).and_then(|name| value(text, index + 1, name)),
            b'-' if bytes[..index].ends_with(b"-") => {
                option(text, index + 1, names).and_then(|(end, name)| value(text, end, Name { loose: false, ..name }))
            }
            b'"' | b'\'' | b'`' => said(text, index, names).and_then(|name| value(text, index, name)),
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

/// The name of a secret, as it stands in a text.
#[derive(Clone, Copy)]
pub struct Name {
    secret: SecretName,
    /// Followed by a colon and not quoted, as words of prose are.
    loose: bool,
}

impl Name {
    /// Whether name and value are rather words of prose, as in "invalid session: timed out".
    fn is_prose_before(self, value: &str) -> bool {
        self.loose && self.secret.is_prose() && self.secret.is_exact() && !is_like_a_secret(value)
    }
}

/// The name of a secret that ends before the `:` or `=` at `index`.
pub fn name_before(text: &str, index: usize, names: &Names) -> Option<Name> {
    let bytes = text.as_bytes();
    let colon = bytes[index] == b':';
    let next = bytes.get(index + 1);
    // Neither a path as `token::parse` nor a URL is a pair.
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
    let start = end - bytes[..end].iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    let quoted = bytes[end..index].iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b']'));
    match names.kind(&text[start..end]) {
        Kind::Secret(secret) => Some(Name { secret, loose: colon && !quoted }),
        Kind::Plain | Kind::Sql => None,
    }
}

/// The name of a secret that stands as a command's option at `index`, and where it ends. `--name=value` is a pair.
pub fn option(text: &str, index: usize, names: &Names) -> Option<(usize, Name)> {
    let bytes = text.as_bytes();
    let end = index + bytes[index..].iter().take(NAME).take_while(|byte| is_name(**byte)).count();
    match names.kind(&text[index..end]) {
        Kind::Secret(secret) if bytes.get(end) == Some(&b' ') => Some((end, Name { secret, loose: false })),
        Kind::Secret(_) | Kind::Plain | Kind::Sql => None,
    }
}

/// The name of a secret of which a sentence says what it is: "the password is `…`", where the quote stands at `index`.
pub fn said(text: &str, index: usize, names: &Names) -> Option<Name> {
    let before = &text.as_bytes()[..index];
    let before = before.strip_suffix(b"\\").unwrap_or(before);
    let before = [&b" is "[..], b" was ", b" of "].into_iter().find_map(|verb| before.strip_suffix(verb))?;
    let start = before.len() - before.iter().rev().take(NAME).take_while(|byte| is_name(**byte)).count();
    match names.kind(&text[start..before.len()]) {
        Kind::Secret(secret) => Some(Name { secret, loose: true }),
        Kind::Plain | Kind::Sql => None,
    }
}

const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The value that begins after a name's separator, as far as it is to be hidden.
fn value(text: &str, from: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let skip = |from: usize, skipped: &[u8]| {
        from + bytes[from..].iter().take(8).take_while(|byte| skipped.contains(byte)).count()
    };
    let start = skip(from, b" \t=>");
    let spaced = start > from;
    let escaped = skip(start, b"\\");
    let inside = wrapped(bytes, escaped);
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(inside).copied() {
        let end = quoted_end(bytes, inside + 1, quote, inside > 0 && bytes[inside - 1] == b'\\');
        // "unexpected token: `}`"
        if (quote != b'"' || name.loose && start == from) && name.is_prose_before(&text[inside + 1..end]) {
            return None;
        }
        return hidden(text, inside + 1..end, name);
    }
    let rest = &text[start..];
    if rest.starts_with(MASK) {
        return None;
    }
    if name.secret.is_header() && spaced {
        let end = rest.find(['\r', '\n', '"', '\'']).unwrap_or(rest.len());
        return hidden(text, start..start + end, name);
    }
    if rest.starts_with(['[', '{']) {
        return hidden(text, start..start + bracketed(rest.as_bytes()), name);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '"' | '\'' | '<' | '>' | '`' | '\\' | '|');
    let word = &rest[..rest.find(ends).unwrap_or(rest.len())];
    let word = word.trim_end_matches([',', '.', ')', ']', '}', ':']);
    if spaced && name.is_prose_before(word) || is_nothing(word) {
        return None;
    }
    hidden(text, start..start + grouped(rest, word.len()), name)
}

/// Where a value ends that is a number in groups, as `+49 151 23456789` is: with its last group. Others end as they do.
fn grouped(text: &str, first: usize) -> usize {
    /// Most digits of a telephone number, by E.164.
    const MOST: usize = 15;
    let is_group = |group: &str| {
        group.bytes().any(|byte| byte.is_ascii_digit())
            && group.bytes().all(|byte| byte.is_ascii_digit() || b"+()-/.".contains(&byte))
    };
    let digits = |text: &str| text.bytes().filter(u8::is_ascii_digit).count();
    let mut end = first;
    while is_group(text[..end].rsplit(' ').next().unwrap_or_default())
        && let Some(rest) = text[end..].strip_prefix(' ')
    {
        let group = rest.split(|c: char| c.is_whitespace() || matches!(c, ',' | ';' | '"' | '\'' | '&')).next();
        let group = group.unwrap_or_default().trim_end_matches(['.', ')']);
        if !is_group(group) || digits(&text[..end]) + digits(group) > MOST {
            break;
        }
        end += 1 + group.len();
    }
    end
}

fn hidden(text: &str, value: Range<usize>, name: Name) -> Option<Range<usize>> {
    let shown = &text[value.clone()];
    (!shown.starts_with(MASK) && name.secret.hides_text(shown)).then_some(value)
}

/// Past what Debug writes around a text: `Some(`, `Secret(`, `[`.
fn wrapped(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    // Two wrappers at most.
    for _ in 0..2 {
        let word = bytes[at..].iter().take(NAME).take_while(|byte| is_name(**byte) || **byte == b':').count();
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

/// Where a quoted text ends: before the closing quote, or with the text.
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

/// Where a list or object ends: past its closing bracket, or with the text.
fn bracketed(bytes: &[u8]) -> usize {
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

/// A word after `token:` that is no word of prose.
fn is_like_a_secret(word: &str) -> bool {
    word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() >= 16
}

/// What stands for no value, or for one that is filled in elsewhere.
fn is_nothing(word: &str) -> bool {
    matches!(word, "" | "None" | "null" | "nil" | "undefined" | "NULL" | "true" | "false" | "?" | "%s" | "{")
}
