//! Names of secrets in a text, in front of their values: `password=…`, `"token": "…"`, `Cookie: …`, `--api-key …`,
//! `Password("…")`, `("authorization", "…")`, `<password>…</password>`, `Key (email)=(…)`,
//! `{"name": "DB_PASSWORD", "value": "…"}`.

use crate::base::text;
use crate::redact::names::{Kind, Names, SecretName};

/// Maximum length of a name.
pub const MAX_NAME: usize = 64;

/// How far before a `value` its `name` is looked for, in bytes.
const MAX_ENTRY: usize = 160;

/// A name in a text that indicates a secret.
#[derive(Clone, Copy)]
pub struct Name {
    pub secret: SecretName,
    /// How name and value are written.
    pub form: Form,
    /// Where the name starts.
    pub start: usize,
}

/// How a name and its value are written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A form in which nothing else than a name and its value is written.
    Pair,
    /// Followed by a colon and not quoted, as a word of prose can be.
    Bare,
    /// After a word such as `column`: what follows is more likely a statement about it.
    Subject,
    /// Names and values in parentheses, as in `Key (email)=(…)`.
    Parentheses,
}

impl Name {
    /// Whether name and value are more likely words of prose, as in "invalid session: timed out".
    pub fn is_prose_before(self, value: &str) -> bool {
        let may_be_prose = match self.form {
            Form::Bare => self.secret.is_prose() && self.secret.is_exact(),
            Form::Subject => true,
            Form::Pair | Form::Parentheses => false,
        };
        may_be_prose && !is_like_a_secret(value)
    }
}

fn secret(names: &Names, name: &str) -> Option<SecretName> {
    match names.kind(name) {
        Kind::Secret(secret) => Some(secret),
        Kind::Plain | Kind::Sql => None,
    }
}

/// Maximum number of backslashes before a quote, which nested texts have: 1, 3, 7, 15, …
pub const MAX_ESCAPES: usize = 31;

/// Removes the backslashes at the end.
fn without_escapes(bytes: &[u8]) -> &[u8] {
    let escapes = bytes.iter().rev().take(MAX_ESCAPES).take_while(|byte| **byte == b'\\').count();
    &bytes[..bytes.len() - escapes]
}

/// Removes a quote at the end, which may be escaped.
fn without_quote(bytes: &[u8]) -> Option<&[u8]> {
    match bytes {
        [before @ .., b'"' | b'\'' | b'`'] => Some(without_escapes(before)),
        _ => None,
    }
}

/// The start of the name that ends at `end`.
fn name_start(bytes: &[u8], end: usize) -> usize {
    end - bytes[..end].iter().rev().take(MAX_NAME).take_while(|byte| is_name(**byte)).count()
}

pub const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

/// The name of a secret before the `:` or `=` at `index`.
pub fn name_before(text: &str, index: usize, names: &Names) -> Option<Name> {
    /// Spaces, and an escaped quote.
    const MAX_BETWEEN: usize = MAX_ESCAPES + 3;
    let bytes = text.as_bytes();
    let colon = bytes[index] == b':';
    let next = bytes.get(index + 1);
    // Neither a path such as `token::parse` nor a URL is a pair.
    if colon && (next == Some(&b':') || bytes[..index].ends_with(b":") || bytes[index + 1..].starts_with(b"//")) {
        return None;
    }
    if !colon && next == Some(&b'(') && bytes[..index].ends_with(b")") {
        return name_in_parentheses(text, index - 1, names);
    }
    let is_between = |byte: &&u8| matches!(byte, b' ' | b'"' | b'\'' | b'\\' | b'`' | b']' | b'?');
    let between = bytes[..index].iter().rev().take(MAX_BETWEEN).take_while(is_between).count();
    let end = index - between;
    let start = name_start(bytes, end);
    let name = text::part(text, start..end);
    let quoted = bytes[end..index].iter().any(|byte| matches!(byte, b'"' | b'\'' | b'`' | b']'));
    if let Some(secret) = secret(names, name) {
        // The working folder of a shell.
        let is_folder = !colon && matches!(name, "PWD" | "OLDPWD") && matches!(next, Some(b'/'));
        let form = match (colon, quoted) {
            (true, true) if is_subject(&bytes[..start]) => Form::Subject,
            // The first field of a struct is no prose.
            (true, false) if !bytes[..start].ends_with(b"{ ") => Form::Bare,
            _ => Form::Pair,
        };
        return (!is_folder).then_some(Name { secret, form, start });
    }
    if name.eq_ignore_ascii_case("value") { name_of_entry(text, start, names) } else { None }
}

/// Whether a quoted name stands after a word such as `column`.
fn is_subject(before: &[u8]) -> bool {
    let before = without_quote(before).unwrap_or(before).trim_ascii_end();
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &before[before.len() - word..];
    [&b"column"[..], b"columns", b"field", b"fields", b"attribute", b"property"]
        .iter()
        .any(|subject| word.eq_ignore_ascii_case(subject))
}

/// The name of a secret among names in parentheses that close at `close`: `Key (tenant, email)=(…)`.
fn name_in_parentheses(text: &str, close: usize, names: &Names) -> Option<Name> {
    let before = text::part(text, close.saturating_sub(4 * MAX_NAME)..close);
    let (rest, inside) = before.rsplit_once('(')?;
    let start = close - before.len() + rest.len();
    // Expressions such as `lower(email)` are not taken apart.
    let mut words = inside.split(|c: char| !c.is_ascii() || !is_name(u8::try_from(c).unwrap_or_default()));
    words.find_map(|name| secret(names, name)).map(|secret| Name { secret, form: Form::Parentheses, start })
}

/// The name of the secret whose `value` starts at `start`, in a list of names and values: `{"name": "DB_PASSWORD", "value": "…"}`.
fn name_of_entry(text: &str, start: usize, names: &Names) -> Option<Name> {
    let before = text::part(text, start.saturating_sub(MAX_ENTRY)..start);
    let entry = before.rsplit_once('{').map_or(before, |(_, entry)| entry);
    let is_label = |at: usize, label: &str| {
        let ends = |byte: u8| matches!(byte, b'"' | b'\'' | b'\\' | b' ' | b':' | b'=');
        let after = entry.as_bytes().get(at + label.len());
        !entry.as_bytes()[..at].last().copied().is_some_and(is_name) && after.is_some_and(|byte| ends(*byte))
    };
    let labels = ["name", "Name", "key", "Key"].into_iter();
    let found = labels.filter_map(|label| {
        let (at, _) = entry.rmatch_indices(label).find(|(at, _)| is_label(*at, label))?;
        Some(at + label.len())
    });
    let after = text::from(entry, found.max()?);
    let name = after.trim_start_matches([' ', '"', '\'', '\\', ':', '=']);
    let length = name.bytes().take_while(|byte| is_name(*byte)).count();
    let secret = secret(names, text::until(name, length))?;
    Some(Name { secret, form: Form::Pair, start })
}

/// The name of a secret that is a command-line option at `index`, and its end. `--name=value` is found as a pair.
pub fn option(text: &str, index: usize, names: &Names) -> Option<(usize, Name)> {
    let bytes = text.as_bytes();
    let end = index + bytes[index..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte)).count();
    let secret = secret(names, text::part(text, index..end))?;
    // `"--password" "…"` as Debug writes a command, `["--password", "…"]` as a list of its arguments.
    let escapes = bytes[end..].iter().take(MAX_ESCAPES).take_while(|byte| **byte == b'\\').count();
    let after = match bytes.get(end + escapes) {
        Some(b'"' | b'\'') => end + escapes + 1,
        _ => end,
    };
    let after = if after > end && bytes.get(after) == Some(&b',') { after + 1 } else { after };
    (bytes.get(after) == Some(&b' ')).then_some((after, Name { secret, form: Form::Pair, start: index }))
}

/// The name of a secret whose value is the quoted text that starts at `index`: in a sentence, a type or a tuple.
pub fn name_of_quoted(text: &str, index: usize, names: &Names) -> Option<Name> {
    /// `ApiKey(Some("…"))`
    const MAX_WRAPPERS: usize = 3;
    let bytes = text.as_bytes();
    let mut before = without_escapes(&bytes[..index]);
    for _ in 0..MAX_WRAPPERS {
        match before {
            [rest @ .., b'('] | [rest @ .., b'(', b'b'] => {
                if let Some(name) = type_name(text, rest.len(), names) {
                    return Some(name);
                }
                let wrapper = name_start(rest, rest.len());
                if wrapper == rest.len() {
                    return None;
                }
                before = &rest[..wrapper];
            }
            [.., b' ' | b'\n' | b'\t'] => {
                return stated(text, before, names)
                    .or_else(|| first_of_tuple(text, before.trim_ascii_end(), index, names));
            }
            [.., b','] => return first_of_tuple(text, before, index, names),
            _ => return None,
        }
    }
    None
}

/// In a sentence that states the value, as in "the password is `…`".
fn stated(text: &str, before: &[u8], names: &Names) -> Option<Name> {
    let before = [&b" is "[..], b" was ", b" of "].into_iter().find_map(|verb| before.strip_suffix(verb))?;
    let start = name_start(before, before.len());
    let secret = secret(names, text::part(text, start..before.len()))?;
    Some(Name { secret, form: Form::Bare, start })
}

/// In a pair of texts: `("authorization", "…")`, `["x-api-key", "…"]`.
fn first_of_tuple(text: &str, before: &[u8], index: usize, names: &Names) -> Option<Name> {
    let before = without_quote(before.strip_suffix(b",")?)?;
    let start = name_start(before, before.len());
    let secret = secret(names, text::part(text, start..before.len()))?;
    let opening = without_quote(&before[..start])?.trim_ascii_end();
    let quote = text.as_bytes()[index];
    let value = text::from(text, index + 1);
    let value = text::until(value, value.bytes().position(|byte| byte == quote).unwrap_or(value.len()));
    // `("email", "phone")` is a list of names.
    let is_name = value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
    match opening.last() {
        Some(b'(' | b'[') if secret.is_header() || !is_name => Some(Name { secret, form: Form::Pair, start }),
        _ => None,
    }
}

/// The name of a type in front of the parenthesis or brace at `end`, if it is a secret's: `Password("…")`.
fn type_name(text: &str, end: usize, names: &Names) -> Option<Name> {
    let bytes = text.as_bytes();
    let start = name_start(bytes, end);
    let is_type = bytes.get(start).is_some_and(u8::is_ascii_uppercase) && start < end;
    if !is_type {
        return None;
    }
    let secret = secret(names, text::part(text, start..end)).filter(|secret| !secret.is_property())?;
    Some(Name { secret, form: Form::Bare, start })
}

/// The name of a type before the brace at `index`: `Password { inner: "…" }`.
pub fn type_before(text: &str, index: usize, names: &Names) -> Option<Name> {
    let end = index.checked_sub(1).filter(|end| text.as_bytes()[*end] == b' ')?;
    type_name(text, end, names)
}

/// The name of an XML element that starts at `index`, and the end of its opening tag.
pub fn element(text: &str, index: usize, names: &Names) -> Option<(usize, Name)> {
    /// Maximum length of the attributes of an element.
    const MAX_ATTRIBUTES: usize = 256;
    let bytes = text.as_bytes();
    let start = index + 1;
    let is_name = |byte: &&u8| is_name(**byte) || **byte == b':';
    let end = start + bytes[start..].iter().take(MAX_NAME).take_while(is_name).count();
    let name = text::part(text, start..end);
    let secret = secret(names, name.rsplit(':').next().unwrap_or_default())?;
    let length = bytes[end..].iter().take(MAX_ATTRIBUTES).position(|byte| matches!(byte, b'<' | b'>'))?;
    let tag = end + length;
    (bytes[tag] == b'>' && bytes[tag - 1] != b'/').then_some((tag + 1, Name { secret, form: Form::Pair, start }))
}

/// The name of a secret before `%3D` or `%3A`, percent-encoded `=` and `:`, at `index`.
pub fn name_before_escape(text: &str, index: usize, names: &Names) -> Option<Name> {
    let bytes = text.as_bytes();
    if !matches!(bytes[index + 1..], [b'3', b'a' | b'A' | b'd' | b'D', ..]) {
        return None;
    }
    let before = &bytes[..index];
    let before = before.strip_suffix(b"%22").or(before.strip_suffix(b"%27")).unwrap_or(before);
    let start = name_start(before, before.len());
    let secret = secret(names, text::part(text, start..before.len()))?;
    Some(Name { secret, form: Form::Pair, start })
}

/// Whether a word after `token:` is not a word of prose.
fn is_like_a_secret(word: &str) -> bool {
    word.len() >= 6 && word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() >= 16
}
