//! The part of a match of a [rule](crate::redact::rules::Rule) that is hidden, if it is a secret at all.

use std::ops::Range;

use regex::Captures;

use crate::base::text;
use crate::redact::urls;

fn range(captures: &Captures<'_>, group: usize) -> Option<Range<usize>> {
    captures.get(group).map(|part| part.range())
}

/// The whole match.
pub fn whole(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    range(captures, 0)
}

/// The first group that took part, or the whole match.
pub fn group_or_whole(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    (1..captures.len()).find_map(|group| range(captures, group)).or_else(|| range(captures, 0))
}

/// Only keys that contain digits, and capitals or a long part; `sk-learn-pipeline-for-penguins` does not.
pub fn mixed(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 0)?;
    let key = &text.as_bytes()[part.clone()];
    let has_long_part =
        key.split(|byte| *byte == b'-').any(|part| part.len() >= 20 && part.iter().any(u8::is_ascii_digit));
    let is_mixed = key.iter().any(u8::is_ascii_digit) && key.iter().any(u8::is_ascii_uppercase);
    (is_mixed || has_long_part).then_some(part)
}

/// Only tokens, not words: with a digit, with a capital inside, or long.
pub fn bearer(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 1)?;
    let token = &text.as_bytes()[part.clone()];
    let is_token =
        token.len() >= 32 || token[1..].iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_token.then_some(part)
}

/// Only codes with letters; numbers are codes of errors.
pub fn device_code(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 1)?;
    text.as_bytes()[part.clone()].iter().any(u8::is_ascii_uppercase).then_some(part)
}

/// Only what decodes to `user:password`.
pub fn basic(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 1)?;
    decodes_to_credentials(&text.as_bytes()[part.clone()]).then_some(part)
}

fn decodes_to_credentials(base64: &[u8]) -> bool {
    let (mut bits, mut held, mut colon) = (0_u32, 0, false);
    for byte in base64.iter().take_while(|byte| **byte != b'=') {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' | b'-' => 62,
            _ => 63,
        };
        bits = bits << 6 & 0xffff | u32::from(digit);
        held += 6;
        if held >= 8 {
            held -= 8;
            let decoded = bits >> held & 0xff;
            if decoded < 0x20 {
                return false;
            }
            colon |= decoded == u32::from(b':');
        }
    }
    colon
}

/// Only e-mail addresses: neither `package@1.2.3`, nor the user of a URL or of `git@host:path`.
pub fn address(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 0)?;
    let found = text::part(text, part.clone());
    let (local, domain) = ["@", "%40", "u0040"].into_iter().find_map(|at| found.split_once(at))?;
    let is_version = domain.split('.').take(2).all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    let is_user = urls::is_user(text, part.start);
    (local != "git" && !is_version && !is_user).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn basic_credentials_are_distinguished_from_prose_by_decoding_them() {
        assert!(decodes_to_credentials(b"dXNlcjpwYXNz"));
        assert!(decodes_to_credentials(b"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        for prose in ["authentication", "configuration", "information", "health", "checks"] {
            assert!(!decodes_to_credentials(prose.as_bytes()), "{prose}");
        }
    }
}
