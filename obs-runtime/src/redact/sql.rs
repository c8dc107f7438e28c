//! String literals in SQL, which hold the data that a query is about.

use std::sync::LazyLock;

use regex::Regex;

use crate::redact::spans::Spans;

/// Whether a text is an SQL statement and nothing else.
pub fn is_statement(text: &str) -> bool {
    const VERBS: [&str; 22] = [
        "select", "with", "insert", "update", "delete", "merge", "create", "call", "execute", "exec", "export", "load",
        "declare", "replace", "alter", "grant", "from", "set", "drop", "begin", "copy", "explain",
    ];
    let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let verb = text.split(|c: char| !c.is_ascii_alphabetic()).next().unwrap_or_default();
    text.starts_with("--") || text.starts_with("/*") || VERBS.iter().any(|known| known.eq_ignore_ascii_case(verb))
}

static STATEMENT: LazyLock<Option<Regex>> = LazyLock::new(|| {
    let pattern = concat!(
        r"\b(?i-u:select\b(?u-i:[^;]*?)\bfrom|(?:insert|replace)\s+into|update\b(?u-i:[^;]*?)\bset|delete\s+from|merge\s+into)\b",
        r"[^;]*?\b(?i-u:where|values|set|having|on|in|like|select)\b",
        // A literal as the first column.
        r"|\b(?i-u:select)\s+(?:\$[A-Za-z_]*\$|N?'[^']*'\s*(?:,|\|\||(?i-u:as|from)\b))",
        // Procedures, passwords of users, and pipes.
        r"|\b(?i-u:call|exec|execute)\s+[\w.`]+\s*(?:\(|@|N?')|\b(?i-u:identified\s+(?:with\s+\w+\s+)?(?:by|as)|(?:encrypted\s+|with\s+)password)\s+'",
        r"|\b(?i-u:(?:create|alter)\s+(?:user|role|login)\s(?u-i:[^;]*?)\b(?:identified|password))\b|\b(?i-u:from)\s+\S+\s*\|>",
    );
    // Word boundaries are those of ASCII.
    Regex::new(&pattern.replace(r"\b", r"(?-u:\b)")).ok()
});

/// Finds string literals from the first statement in a text on.
pub fn find_in_text(text: &str, spans: &mut Spans) {
    if let Some(statement) = STATEMENT.as_ref().and_then(|statement| statement.find(text)) {
        find_literals(text, statement.start(), spans);
    }
}

/// Finds the string literals of a statement that starts at `from`, outside of comments. Text in double quotes is a literal,
/// as in `BigQuery`, except where only the name of a table can be.
pub fn find_literals(text: &str, from: usize, spans: &mut Spans) {
    let bytes = text.as_bytes();
    let mut index = from;
    while index < bytes.len() {
        let rest = &bytes[index..];
        index = match bytes[index] {
            b'-' if rest.starts_with(b"--") => index + position(rest, b"\n"),
            b'#' if is_first_of_line(&bytes[from..index]) => index + position(rest, b"\n"),
            b'/' if rest.starts_with(b"/*") => index + position(rest, b"*/") + 1,
            b'`' => index + 1 + position(&rest[1..], b"`") + 1,
            b'$' => match dollar_literal(rest) {
                Some(literal) => {
                    spans.add(index + literal.start..index + literal.end);
                    index + literal.end + literal.start
                }
                None => index + 1,
            },
            quote @ (b'\'' | b'"') => {
                let (end, escapes) = literal_end(bytes, index + 1, quote);
                let unbalanced = bytes.get(end + 1).is_some_and(u8::is_ascii_alphanumeric);
                if escapes || unbalanced {
                    // Whether `\'` ends a literal depends on the dialect, and `'said 'no''` contains a quote that is not
                    // escaped: hide everything up to the last quote.
                    let last = bytes.iter().rposition(|byte| matches!(byte, b'\'' | b'"')).unwrap_or(end);
                    spans.add(index + 1..last.max(end));
                    return;
                }
                if quote == b'\'' || !is_table_name(&bytes[from..index], bytes.get(end + 1)) {
                    spans.add(index + 1..end);
                }
                end + 1
            }
            _ => index + 1,
        };
    }
}

/// The part inside of a literal in dollar quotes, `$$…$$` or `$tag$…$tag$`, at the start of a text.
fn dollar_literal(rest: &[u8]) -> Option<std::ops::Range<usize>> {
    /// Maximum length of a tag.
    const MAX_TAG: usize = 32;
    let tag = rest[1..].iter().take(MAX_TAG).take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
    let quote = rest.get(..tag + 2).filter(|quote| quote.ends_with(b"$"))?;
    let inside = &rest[quote.len()..];
    let end = inside.windows(quote.len()).position(|window| window == quote).unwrap_or(inside.len());
    Some(quote.len()..quote.len() + end)
}

/// The end of a literal, in which a doubled quote is part of the text, and whether it contains a quote escaped with `\`.
fn literal_end(bytes: &[u8], start: usize, quote: u8) -> (usize, bool) {
    let mut index = start;
    while index < bytes.len() {
        if bytes[index] == b'\\' && bytes.get(index + 1) == Some(&quote) {
            return (index, true);
        }
        if bytes[index] == quote {
            if bytes.get(index + 1) != Some(&quote) {
                return (index, false);
            }
            index += 1;
        }
        index += 1;
    }
    (bytes.len(), false)
}

/// Whether a text in double quotes is a name: after `from`, `join`, …, or as part of a dotted name.
fn is_table_name(before: &[u8], after: Option<&u8>) -> bool {
    let before = before.trim_ascii_end();
    let word = before.iter().rev().take_while(|byte| byte.is_ascii_alphabetic()).count();
    let word = &before[before.len() - word..];
    let keywords = [&b"from"[..], b"join", b"into", b"table", b"update", b"exists", b"as"];
    after == Some(&b'.') || before.ends_with(b".") || keywords.iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

fn is_first_of_line(before: &[u8]) -> bool {
    before.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t')).is_none_or(|byte| *byte == b'\n')
}

/// The index of the needle's last byte, or the length if it is not found; at least 1.
fn position(bytes: &[u8], needle: &[u8]) -> usize {
    bytes
        .windows(needle.len())
        .position(|window| window == needle)
        .map_or(bytes.len(), |at| at + needle.len() - 1)
        .max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(statement: &str) -> String {
        let mut spans = Spans::default();
        find_literals(statement, 0, &mut spans);
        spans.mask(statement.into()).into_owned()
    }

    #[test]
    fn string_literals_are_hidden_and_the_rest_stays() {
        for (statement, expected) in [
            ("SELECT a FROM t WHERE n = 'Ann' AND m = 5", "SELECT a FROM t WHERE n = '[REDACTED]' AND m = 5"),
            ("IN ('a', 'b''c', '')", "IN ('[REDACTED]', '[REDACTED]', '')"),
            ("= \"Ann\" FROM \"people\" AS \"p\"", "= \"[REDACTED]\" FROM \"people\" AS \"p\""),
            ("FROM `p.d.it's` WHERE a = 'x'", "FROM `p.d.it's` WHERE a = '[REDACTED]'"),
            ("-- it's\na = 'x' /* isn't */ 'y'", "-- it's\na = '[REDACTED]' /* isn't */ '[REDACTED]'"),
            ("a = 'x\\'y' AND b = 'secret'", "a = '[REDACTED]'"),
            ("a = 'said 'no'' AND b = 'c' AND d = 5", "a = '[REDACTED]' AND d = 5"),
            ("a = 'not closed", "a = '[REDACTED]"),
            ("a = '''long''' b", "a = '[REDACTED]' b"),
        ] {
            assert_eq!(masked(statement), expected);
        }
    }

    #[test]
    fn a_statement_within_a_text_is_found_and_prose_is_not() {
        assert!(STATEMENT.is_some());
        let masked = |text: &str| {
            let mut spans = Spans::default();
            find_in_text(text, &mut spans);
            spans.mask(text.into()).into_owned()
        };
        assert_eq!(
            masked("can't run 'q1': select name from people where name = 'Ann'"),
            "can't run 'q1': select name from people where name = '[REDACTED]'"
        );
        assert_eq!(masked("failed: SELECT $$Ann$$ FROM t"), "failed: SELECT $$[REDACTED]$$ FROM t");
        assert_eq!(masked("failed: SELECT 'Ann' AS name FROM t"), "failed: SELECT '[REDACTED]' AS name FROM t");
        for prose in ["could not select rows from 'penguins.csv'", "update of 'a' failed", "it's fine"] {
            assert_eq!(masked(prose), prose);
        }
    }
}
