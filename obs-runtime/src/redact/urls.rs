//! Passwords in URLs. Of `scheme://user:password@host`, only the password is hidden, so that the host stays readable.

use crate::base::text;
use crate::redact::spans::Spans;

/// How far before an `@` the scheme of a URL is looked for, in bytes.
const MAX_USER: usize = 256;

/// Finds the passwords of URLs, which may contain `@`, `/`, `?` and `#` without encoding.
pub fn find(text: &str, spans: &mut Spans) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '`');
    let mut rest = 0;
    while let Some(scheme) = text::from(text, rest).find("://") {
        let start = rest + scheme + 3;
        rest = start;
        let tail = text::from(text, start);
        let tail = tail.split("://").next().unwrap_or_default();
        let tail = tail.split(ends).next().unwrap_or_default();
        let Some((user, tail)) = tail.split_once(':').filter(|(user, _)| !user.contains(['/', '?', '#', '@'])) else {
            let user = tail.split(['/', '?', '#', '@']).next().unwrap_or_default();
            if text::from(tail, user.len()).starts_with('@') && is_token(user) {
                spans.add(start..start + user.len());
            }
            continue;
        };
        let authority = tail.split(['/', '?', '#']).next().unwrap_or_default();
        let end = match authority.rfind('@') {
            Some(end) => Some(end),
            // In `host:8080/path@…`, the colon introduces a port.
            None if authority.bytes().all(|byte| byte.is_ascii_digit()) => None,
            None => tail.find('@'),
        };
        if let Some(end) = end {
            let password = start + user.len() + 1;
            spans.add(password..password + end);
        }
    }
}

/// Finds the password of an address without a scheme, `user:password@host`, which a whole text is.
pub fn find_in_address(text: &str, spans: &mut Spans) {
    let Some((user, rest)) = text.split_once(':') else { return };
    let is_address = !user.contains(|c: char| c.is_whitespace() || c == '/' || c == '@') && !rest.starts_with("//");
    if let Some(end) = rest.rfind('@').filter(|_| is_address) {
        let start = user.len() + 1;
        spans.add(start..start + end);
    }
}

/// Whether the user of a URL is a token: long, of letters and digits.
fn is_token(user: &str) -> bool {
    let has = |kind: fn(&u8) -> bool| user.as_bytes().iter().any(kind);
    user.len() >= 20 && has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic)
}

/// Whether the word that starts at `start` is the user of a URL.
pub fn is_user(text: &str, start: usize) -> bool {
    let before = text::part(text, start.saturating_sub(MAX_USER)..start);
    let ends =
        |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | ',' | ';' | '(' | ')' | '<' | '>' | '"' | '\'');
    before.rsplit_once("://").is_some_and(|(_, user)| !user.contains(ends))
}
