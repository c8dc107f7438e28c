//! Passwords in URLs. Of `scheme://user:password@host`, only the password is hidden, so that the host stays readable.

use crate::redact::spans;
use crate::redact::spans::Spans;

/// How far before an `@` the scheme of a URL is looked for, in bytes.
const MAX_USER: usize = 256;

/// Finds the passwords of URLs, which may contain `@`, `/`, `?` and `#` without encoding.
pub fn find(text: &str, spans: &mut Spans) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let mut rest = 0;
    while let Some(scheme) = text[rest..].find("://") {
        let start = rest + scheme + 3;
        rest = start;
        let tail = &text[start..];
        let tail = &tail[..tail.find("://").unwrap_or(tail.len())];
        let tail = &tail[..tail.find(ends).unwrap_or(tail.len())];
        let Some(colon) = tail.find([':', '/', '?', '#', '@']).filter(|at| tail[*at..].starts_with(':')) else {
            continue;
        };
        let tail = &tail[colon + 1..];
        let authority = tail.find(['/', '?', '#']).unwrap_or(tail.len());
        let end = match tail[..authority].rfind('@') {
            Some(end) => Some(end),
            // In `host:8080/path@…`, the colon introduces a port.
            None if tail[..authority].bytes().all(|byte| byte.is_ascii_digit()) => None,
            None => tail.find('@'),
        };
        if let Some(end) = end {
            spans.add(start + colon + 1..start + colon + 1 + end);
        }
    }
}

/// Whether the word that starts at `start` is the user of a URL.
pub fn is_user(text: &str, start: usize) -> bool {
    let before = &text[spans::floor(text, start.saturating_sub(MAX_USER))..start];
    before.rfind("://").is_some_and(|scheme| !before[scheme + 3..].contains(|c: char| c.is_whitespace() || c == '/'))
}
