//! Secrets that follow their name in a text. [`pair_names`](crate::redact::pair_names) finds the names,
//! [`pair_values`](crate::redact::pair_values) tells how far their values extend.

use crate::redact::names::Names;
use crate::redact::pair_names::{element, name_before, name_before_escape, name_of_quoted, option, type_before};
use crate::redact::pair_values::{element_value, escaped_value, type_value, value};
use crate::redact::spans::Spans;

/// Finds the values of names that indicate secrets.
pub fn find(text: &str, names: &Names, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut index = 0;
    while index < bytes.len() {
        let span = match bytes[index] {
            b':' | b'=' => name_before(text, index, names).and_then(|name| value(text, index + 1, name)),
            b'-' if bytes[..index].ends_with(b"-") => {
                option(text, index + 1, names).and_then(|(end, name)| value(text, end, name))
            }
            b'"' | b'\'' | b'`' => name_of_quoted(text, index, names).and_then(|name| value(text, index, name)),
            b'<' => element(text, index, names).and_then(|(end, name)| element_value(text, end, name)),
            b'{' => type_before(text, index, names).and_then(|name| type_value(text, index, name)),
            b'%' => name_before_escape(text, index, names).and_then(|name| escaped_value(text, index + 3, name)),
            _ => None,
        };
        index = match span {
            Some(span) => {
                let end = span.end;
                spans.add(span);
                end.max(index + 1)
            }
            None => index + 1,
        };
    }
}
