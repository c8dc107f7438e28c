//! Secrets that are recognised by their format.

use std::ops::Range;
use std::sync::OnceLock;

use regex::{Captures, Regex};

use crate::base::text;
use crate::redact::cards;
use crate::redact::scan::Candidates;
use crate::redact::spans::Spans;
use crate::redact::urls;

/// A kind of secret: its format, and the part to hide.
struct Rule {
    candidate: Candidates,
    pattern: &'static str,
    part: fn(&str, &Captures<'_>) -> Option<Range<usize>>,
}

const RULES: &[Rule] = &[
    // HTTP credentials. "Basic configuration" and "bearer authentication" are prose.
    Rule { candidate: Candidates::SCHEME, pattern: r"(?i-u)\bbearer\s+([a-z0-9._~+/=-]{8,})", part: bearer },
    Rule { candidate: Candidates::SCHEME, pattern: r"(?i-u)\bbasic\s+([a-z0-9+/_-]{4,}={0,2})", part: basic },
    // JSON web tokens: signed (three parts), encrypted (five) or neither.
    Rule { candidate: Candidates::JWT, pattern: r"(?-u)eyJ[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*)+", part: whole },
    // Private keys, also truncated ones.
    Rule {
        candidate: Candidates::PEM,
        pattern: r"(?s)-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----|\z)",
        part: whole,
    },
    // Google: API keys, OAuth access tokens and client secrets.
    Rule {
        candidate: Candidates::KEY,
        pattern: r"(?-u)AIza[0-9A-Za-z_-]{30,}|ya29\.[0-9A-Za-z_-]{20,}|GOCSPX-[0-9A-Za-z_-]{20,}",
        part: whole,
    },
    // AWS access keys.
    Rule { candidate: Candidates::KEY, pattern: r"(?-u)\bA(?:K|S)IA[0-9A-Z]{16}\b", part: whole },
    // GitHub, GitLab, npm, PyPI, Docker.
    Rule {
        candidate: Candidates::KEY,
        pattern: r"(?-u)gh[pousr]_[0-9A-Za-z]{20,}|github_pat_[0-9A-Za-z_]{22,}|glpat-[0-9A-Za-z_-]{20,}|npm_[0-9A-Za-z]{36}|pypi-[0-9A-Za-z_-]{16,}|dckr_pat_[0-9A-Za-z_-]{20,}",
        part: whole,
    },
    // Slack: tokens, and the secret part of a webhook URL.
    Rule {
        candidate: Candidates::KEY,
        pattern: r"(?-u)xox[a-z]-[0-9A-Za-z-]{10,}|xapp-[0-9A-Za-z-]{10,}|hooks\.slack\.com/services/([0-9A-Za-z/]+)",
        part: group_or_whole,
    },
    // Stripe, SendGrid, and providers of language models.
    Rule {
        candidate: Candidates::KEY,
        pattern: r"(?-u)[sr]k_(?:live|test)_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z]{16,}|SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,}",
        part: whole,
    },
    Rule { candidate: Candidates::KEY, pattern: r"(?-u)\bsk-[0-9A-Za-z_-]{20,}", part: mixed },
    // Vault, Hugging Face, DigitalOcean, Shopify, age.
    Rule {
        candidate: Candidates::KEY,
        pattern: r"(?-u)\bhv[sbr]\.[0-9A-Za-z_-]{20,}|\bhf_[0-9A-Za-z]{20,}|\bdo[opr]_v1_[0-9a-f]{32,}|\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}|AGE-SECRET-KEY-1[0-9A-Z]{20,}",
        part: whole,
    },
    // Signatures of URLs, which grant access to anyone who has the URL.
    Rule {
        candidate: Candidates::SIGNED,
        pattern: r"(?i-u)[?&;](?:x-(?:amz|goog)-signature|signature|sig)=([a-z0-9%+/=._~-]+)",
        part: group_or_whole,
    },
    // Sentry DSNs.
    Rule {
        candidate: Candidates::AT,
        pattern: r"(?i-u)https?://[0-9a-f]{16,}(?::[0-9a-f]+)?@[a-z0-9.-]+(?::[0-9]+)?(?:/[a-z0-9._-]+)*/[0-9]+",
        part: whole,
    },
    // E-mail addresses, also in the query of a URL.
    Rule {
        candidate: Candidates::AT,
        pattern: r"[A-Za-z0-9._%+'\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+?(?:@|%40)[A-Za-z0-9\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+(?:\.[A-Za-z0-9\-\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]+)*\.[A-Za-z\x{c0}-\x{1fff}\x{2c00}-\x{2dff}\x{3040}-\x{fe0f}]{2,}",
        part: address,
    },
];

/// The compiled rules. Each is compiled when a text first may contain its secret; most programs never need most of them.
static COMPILED: [OnceLock<Option<Regex>>; RULES.len()] = [const { OnceLock::new() }; RULES.len()];

/// Finds secrets of the given kinds.
pub fn find(text: &str, found: Candidates, spans: &mut Spans) {
    let rules = RULES.iter().zip(&COMPILED).filter(|(rule, _)| found.has(rule.candidate));
    // A test checks that every rule compiles.
    let compiled =
        rules.filter_map(|(rule, regex)| Some((rule, regex.get_or_init(|| Regex::new(rule.pattern).ok()).as_ref()?)));
    for (rule, regex) in compiled {
        let parts = regex.captures_iter(text).filter_map(|captures| (rule.part)(text, &captures));
        parts.for_each(|part| spans.add(part));
    }
    if found.has(Candidates::AT) {
        urls::find(text, spans);
    }
    if found.has(Candidates::DIGITS) {
        cards::find(text, spans);
    }
}

fn range(captures: &Captures<'_>, group: usize) -> Option<Range<usize>> {
    captures.get(group).map(|part| part.range())
}

fn whole(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    range(captures, 0)
}

fn group_or_whole(_: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    range(captures, 1).or_else(|| range(captures, 0))
}

/// Only keys that contain digits and capitals; `sk-learn-pipeline-for-penguins` does not.
fn mixed(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 0)?;
    let has = |kind: fn(&u8) -> bool| text.as_bytes()[part.clone()].iter().any(kind);
    (has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase)).then_some(part)
}

/// Only tokens, not words: with a digit, with a capital inside, or long.
fn bearer(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 1)?;
    let token = &text.as_bytes()[part.clone()];
    let is_token =
        token.len() >= 32 || token[1..].iter().any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    is_token.then_some(part)
}

/// Only what decodes to `user:password`.
fn basic(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
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
fn address(text: &str, captures: &Captures<'_>) -> Option<Range<usize>> {
    let part = range(captures, 0)?;
    let found = text::part(text, part.clone());
    let (local, domain) = found.split_once('@').or_else(|| found.split_once("%40"))?;
    let is_version = domain.split('.').take(2).all(|label| label.bytes().all(|byte| byte.is_ascii_digit()));
    let is_user = urls::is_user(text, part.start);
    (local != "git" && !is_version && !is_user).then_some(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_compiles() {
        for rule in RULES {
            assert!(Regex::new(rule.pattern).is_ok(), "{}", rule.pattern);
        }
    }

    #[test]
    fn basic_credentials_are_distinguished_from_prose_by_decoding_them() {
        assert!(decodes_to_credentials(b"dXNlcjpwYXNz"));
        assert!(decodes_to_credentials(b"QWxhZGRpbjpvcGVuIHNlc2FtZQ=="));
        for prose in ["authentication", "configuration", "information", "health", "checks"] {
            assert!(!decodes_to_credentials(prose.as_bytes()), "{prose}");
        }
    }
}
