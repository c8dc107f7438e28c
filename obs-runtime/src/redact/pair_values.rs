//! How far the value of a [name](crate::redact::pair_names::Name) extends, and whether it is one.

use std::ops::Range;

use crate::base::secret::MASK;
use crate::base::text;
use crate::redact::pair_names::{Form, MAX_ESCAPES, MAX_NAME, Name, is_name};
use crate::redact::placeholders::{is_placeholder, reference};
use crate::redact::truncation::CUT;

/// The part to hide of the value that starts after a name's separator.
pub fn value(text: &str, from: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let skip = |from: usize, skipped: &[u8]| {
        from + bytes[from..].iter().take(8).take_while(|byte| skipped.contains(byte)).count()
    };
    let start = skip(from, b" \t=>");
    let spaced = start > from;
    let inside = skip_wrappers(bytes, start + escapes(&bytes[start..]));
    if let Some(quote @ (b'"' | b'\'' | b'`')) = bytes.get(inside).copied() {
        let end = quoted_end(bytes, inside + 1, quote, escapes_before(bytes, inside));
        // In `"no sessions:"`, the quote ends the text in which the name stands.
        let is_closing = start == from
            && name.form == Form::Bare
            && quote_around(bytes, name.start).is_some_and(|around| around == (quote, escapes_before(bytes, inside)));
        if is_closing {
            return None;
        }
        // "unexpected token: `}`"
        let may_be_prose = quote != b'"' || start == from && name.form == Form::Bare || name.form == Form::Subject;
        if may_be_prose && name.is_prose_before(text::part(text, inside + 1..end)) {
            return None;
        }
        return hidden(text, inside + 1..end, name);
    }
    let rest = text::from(text, start);
    if rest.starts_with(MASK) || rest.starts_with(CUT) {
        return None;
    }
    if let Some(length) = reference(rest) {
        return Some(start + length..start + length);
    }
    if name.secret.is_header() && spaced {
        let end = rest.find(['\r', '\n']).unwrap_or(rest.len());
        let quoted = quote_around(bytes, name.start).map(|(quote, escapes)| quoted_end(bytes, start, quote, escapes));
        return hidden(text, start..quoted.unwrap_or(bytes.len()).min(start + end), name);
    }
    if let Some(block) = block(text, start, name) {
        return hidden(text, block, name);
    }
    if rest.starts_with(['[', '{']) || name.form == Form::Parentheses {
        // Properties of secrets, such as `token_counts: [`, are not secret: their brackets are not searched for an end.
        if name.secret.is_property() {
            return None;
        }
        return hidden(text, start..start + bracket_end(rest.as_bytes()), name);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, ';' | '&' | '"' | '\'' | '<' | '>' | '`' | '\\' | '|');
    let word = rest.split(ends).next().unwrap_or_default();
    let word = word.trim_end_matches([',', '.', ')', ']', '}', ':']);
    let end = groups_end(rest, word.len());
    let is_number = end > word.len() || word.bytes().filter(u8::is_ascii_digit).count() >= MIN_PHONE_DIGITS;
    if spaced && !(is_number && name.form == Form::Bare) && name.is_prose_before(word) {
        return None;
    }
    hidden(text, start..start + end, name)
}

/// Minimum number of digits of a telephone number.
const MIN_PHONE_DIGITS: usize = 6;

/// The content of an XML element whose opening tag ends at `from`.
pub fn element_value(text: &str, from: usize, name: Name) -> Option<Range<usize>> {
    let length = text::from(text, from).find('<')?;
    let content = text::part(text, from..from + length);
    let start = from + (content.len() - content.trim_start().len());
    hidden(text, start..start + content.trim().len(), name)
}

/// What is between the braces of a type, the first of which is at `index`. Of a type whose name is also an ordinary word,
/// only a single field.
pub fn type_value(text: &str, index: usize, name: Name) -> Option<Range<usize>> {
    /// Maximum length of a single field, in bytes.
    const MAX_FIELD: usize = 512;
    let rest =
        if name.secret.is_prose() { text::part(text, index..index + MAX_FIELD) } else { text::from(text, index) };
    let end = index + bracket_end(rest.as_bytes());
    let inside = text::part(text, index + 1..end);
    let inside = inside.strip_suffix('}').unwrap_or(inside);
    let content = inside.trim().trim_end_matches(',');
    if name.secret.is_prose() && (content.contains(',') || content.matches(':').count() != 1) {
        return None;
    }
    let start = index + 1 + (inside.len() - inside.trim_start().len());
    hidden(text, start..start + content.len(), name)
}

/// A percent-encoded value.
pub fn escaped_value(text: &str, from: usize, name: Name) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let quote = [&b"%22"[..], b"%27"].into_iter().find(|quote| bytes[from..].starts_with(quote));
    let start = from + quote.map_or(0, <[u8]>::len);
    let ends = |rest: &[u8]| match quote {
        Some(quote) => rest.starts_with(quote),
        None if rest.starts_with(b"%26") || rest.starts_with(b"%22") => true,
        None => matches!(rest, [b'&' | b';' | b'"' | b'\'' | b'<' | b'>' | b'`', ..]),
    };
    let end =
        (start..bytes.len()).find(|at| bytes[*at].is_ascii_whitespace() || ends(&bytes[*at..])).unwrap_or(bytes.len());
    hidden(text, start..end, name)
}

/// The lines of a block below a name, as YAML has them: indented further than the name, after a line break or `|` or `>`.
fn block(text: &str, start: usize, name: Name) -> Option<Range<usize>> {
    /// Maximum length of what stands before a name in its line, in bytes.
    const MAX_LINE: usize = 256;
    let rest = text::from(text, start);
    let indicator = rest.bytes().take_while(|byte| matches!(byte, b'|' | b'>' | b'-' | b'+' | b'\r')).count();
    let after = text::from(rest, indicator);
    let line_break = text::until(after, line_break(after.as_bytes())?);
    let first = text::from(after, line_break.len());
    let before = text::part(text, name.start.saturating_sub(MAX_LINE)..name.start);
    let line_start = name.start - before.len() + before.rfind(line_break).map_or(0, |at| at + line_break.len());
    let indent = |line: &str| line.len() - line.trim_start_matches(' ').len();
    // A name after "- " is indented by it, too. A quoted name starts at its quote.
    let own = text::part(text, line_start..name.start).bytes().take_while(|byte| matches!(byte, b' ' | b'-')).count();
    let is_list = |line: &str| line.trim_start().starts_with("- ");
    let mut end = 0;
    for line in first.split_inclusive(line_break) {
        let is_inside = indent(line) > own || is_list(line) && indent(line) == own;
        if !line.trim_end_matches(line_break).trim().is_empty() && !is_inside {
            break;
        }
        end += line.len();
    }
    let lines = text::until(first, end);
    // In a quoted text, the block ends with it.
    let lines = lines.split(['"', '\'']).next().unwrap_or_default();
    let content = lines.trim().trim_end_matches(line_break).trim_end();
    // Names and values below a name, such as a reference to a secret, are judged by themselves.
    let is_mapping = content.split(line_break).next().is_some_and(|line| line.contains(": ") || line.ends_with(':'));
    if content.is_empty() || is_mapping || name.is_prose_before(content) {
        return None;
    }
    let from = start + indicator + line_break.len() + (lines.len() - lines.trim_start().len());
    Some(from..from + content.len())
}

/// The length of a line break, as it is or as `Debug` and JSON write it, at the start of a text.
fn line_break(bytes: &[u8]) -> Option<usize> {
    let escapes = escapes(bytes);
    match bytes.get(escapes) {
        Some(b'\n') if escapes == 0 => Some(1),
        Some(b'n') if escapes > 0 => Some(escapes + 1),
        _ => None,
    }
}

/// The number of backslashes at the start of a text.
fn escapes(bytes: &[u8]) -> usize {
    bytes.iter().take(MAX_ESCAPES).take_while(|byte| **byte == b'\\').count()
}

/// The number of backslashes before `index`.
fn escapes_before(bytes: &[u8], index: usize) -> usize {
    bytes[..index].iter().rev().take(MAX_ESCAPES).take_while(|byte| **byte == b'\\').count()
}

/// The quote inside which a header with this name stands, and the number of backslashes that escape it.
fn quote_around(bytes: &[u8], name: usize) -> Option<(u8, usize)> {
    /// How far before a header a quote is looked for, in bytes.
    const MAX_BEFORE: usize = 256;
    let from = name.saturating_sub(MAX_BEFORE);
    let line = bytes[from..name].rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
    let quotes = (name - line.len()..name).filter(|at| matches!(bytes[*at], b'"' | b'\'')).rev();
    let mut quotes = quotes.map(|at| (bytes[at], escapes_before(bytes, at)));
    let nearest = quotes.next()?;
    // Those of the same kind before it are closed by pairs.
    quotes.filter(|quote| *quote == nearest).count().is_multiple_of(2).then_some(nearest)
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
        let group = group.unwrap_or_default();
        let is_open = group.starts_with('(') && !group.contains(')');
        let group = group.trim_end_matches(['.', ')']);
        if is_open || !is_group(group) || digits(text::until(text, end)) + digits(group) > MAX_DIGITS {
            break;
        }
        end += 1 + group.len();
    }
    end
}

/// The value if it has to be hidden. Of one that stands for the value, nothing is: an empty part at its end.
fn hidden(text: &str, value: Range<usize>, name: Name) -> Option<Range<usize>> {
    let text = text::part(text, value.clone());
    if is_placeholder(text) {
        return Some(value.end..value.end);
    }
    (!text.starts_with(MASK) && !text.starts_with(CUT) && name.secret.hides_text(text)).then_some(value)
}

/// The position after what `Debug` writes around a text: `Some(`, `Secret(`, a line break, `b`.
fn skip_wrappers(bytes: &[u8], start: usize) -> usize {
    let mut at = start;
    // At most two wrappers.
    for _ in 0..2 {
        let word = bytes[at..].iter().take(MAX_NAME).take_while(|byte| is_name(**byte) || **byte == b':').count();
        match bytes.get(at + word) {
            Some(b'(') => at += word + 1,
            _ => break,
        }
        // The alternate form of `Debug`.
        at += line_break(&bytes[at..]).unwrap_or_default();
        at += bytes[at..].iter().take(MAX_NAME).take_while(|byte| byte.is_ascii_whitespace()).count();
    }
    let is_quote = |at: usize| {
        let quote = at + escapes(&bytes[at..]);
        matches!(bytes.get(quote), Some(b'"' | b'\'' | b'`')).then_some(quote)
    };
    // Literals of bytes and raw ones.
    let prefix = [&b"br#"[..], b"br", b"b", b"r#", b"r"].into_iter().find(|prefix| bytes[at..].starts_with(prefix));
    let inside = is_quote(at).or_else(|| is_quote(at + prefix.map_or(0, <[u8]>::len)));
    inside.unwrap_or(start)
}

/// The end of a quoted text: the position of the closing quote and the backslashes that escape it, of which the opening quote
/// has `escapes`, or the end of the text.
fn quoted_end(bytes: &[u8], start: usize, quote: u8, escapes: usize) -> usize {
    let mut index = start;
    while index < bytes.len() {
        let run = bytes[index..].iter().take_while(|byte| **byte == b'\\').count();
        let is_quote = bytes.get(index + run) == Some(&quote);
        match run {
            0 if is_quote => return index,
            0 => index += 1,
            _ if is_quote && run <= escapes => return index,
            // An even number of backslashes escapes itself.
            _ if is_quote && escapes == 0 && run.is_multiple_of(2) => return index + run,
            _ => index += run + 1,
        }
    }
    bytes.len()
}

/// The end of a list or object: the position after the closing bracket, or the end of the text.
fn bracket_end(bytes: &[u8]) -> usize {
    let mut depth = 0_usize;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth == 0 {
            return index + 1;
        }
    }
    bytes.len()
}
