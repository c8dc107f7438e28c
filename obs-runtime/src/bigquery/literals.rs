//! Masks literals in queries, and quoted values in BigQuery's messages.

use crate::base::text;
use crate::pipeline::global;

/// The maximum length of a query in output, in characters.
const LONGEST: usize = 2_000;

/// The values in a query. BigQuery's messages may repeat them in any wording.
#[derive(Debug, Default)]
pub struct Values(Vec<String>);

/// The minimum length, in bytes, of a value that is masked in messages: shorter ones occur by chance.
const SHORTEST: usize = 3;

impl Values {
    /// The literals in a query.
    pub fn of(sql: &str) -> Self {
        let mut values = Self::default();
        let mut rest = sql;
        while let Some(first) = rest.chars().next() {
            let (token, behind) = rest.split_at_checked(token(rest, first)).unwrap_or((rest, ""));
            let is_text = token.ends_with(['\'', '"']) && !is_comment(token);
            if is_text && let Some(quote) = token.find(['\'', '"']) {
                values.add(text::from(token, quote).trim_matches(['\'', '"']));
            } else if first.is_ascii_digit() || first == '.' {
                values.add(token);
            }
            rest = behind;
        }
        values
    }

    /// Adds the value of a parameter.
    pub fn add(&mut self, value: &str) {
        if value.len() >= SHORTEST {
            self.0.push(value.to_owned());
        }
    }

    /// Replaces each of the values by `?`, where it is a whole word.
    pub fn masked(mut self, message: &str) -> String {
        // The longest first, because one value may contain another.
        self.0.sort_by_key(|value| std::cmp::Reverse(value.len()));
        self.0.iter().fold(message.to_owned(), |message, value| without_word(&message, value))
    }
}

fn without_word(message: &str, word: &str) -> String {
    let goes_on = |inside: Option<char>, outside: Option<char>| {
        inside.is_some_and(char::is_alphanumeric) && outside.is_some_and(char::is_alphanumeric)
    };
    let mut shown = String::with_capacity(message.len());
    let mut copied = 0;
    for (at, _) in message.match_indices(word) {
        let end = at + word.len();
        let is_part = goes_on(word.chars().next(), text::until(message, at).chars().next_back())
            || goes_on(word.chars().next_back(), text::from(message, end).chars().next());
        if !is_part {
            shown.push_str(text::part(message, copied..at));
            shown.push('?');
            copied = end;
        }
    }
    shown + text::from(message, copied)
}

/// A query that may be shown: literals replaced by `?`, comments removed, white space collapsed.
pub fn without_literals(sql: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        if length >= LONGEST {
            shown.push('…');
            break;
        }
        let (token, behind) = rest.split_at_checked(token(rest, first)).unwrap_or((rest, ""));
        match first {
            _ if first.is_whitespace() || is_comment(token) => {
                if !shown.ends_with(' ') && !shown.is_empty() {
                    shown.push(' ');
                }
            }
            '\'' | '"' | '0'..='9' => shown.push('?'),
            '.' if token.len() > 1 => shown.push('?'),
            // `r'…'` and `b'…'` begin like identifiers.
            _ if first.is_alphabetic() && token.ends_with(['\'', '"']) => shown.push('?'),
            _ => shown.push_str(token),
        }
        length += 1;
        if length % 8 == 0 {
            length = length.max(shown.chars().count());
        }
        rest = behind;
    }
    global::redact(shown.trim().to_owned())
}

/// Whether the text of a query, outside of literals and comments, creates a model: `CREATE [OR REPLACE] MODEL`. What a script makes of
/// texts, or a procedure does, is not seen: see [`runs_unseen`].
pub fn creates_model(sql: &str) -> bool {
    any_words(sql, |[replaced, or, create, model, _]| {
        let is_new = is(create, "create") || is(replaced, "create") && is(or, "or") && is(create, "replace");
        is(model, "model") && is_new
    })
}

/// Whether a script runs statements that its text does not contain: `CALL procedure` or `EXECUTE IMMEDIATE`. It may say so of a
/// script with a column of such a name.
pub fn runs_unseen(sql: &str) -> bool {
    let is_name = |word: &str| word.starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '`'));
    any_words(sql, |[_, _, _, first, second]| {
        is(first, "call") && is_name(second) || is(first, "execute") && is(second, "immediate")
    })
}

fn is(word: &str, keyword: &str) -> bool {
    word.eq_ignore_ascii_case(keyword)
}

/// Whether any five tokens in sequence, without white space and comments, fulfil a condition. Before the first and behind the last
/// one are empty tokens.
fn any_words(sql: &str, holds: impl Fn([&str; 5]) -> bool) -> bool {
    let mut words = [""; 5];
    let mut rest = sql;
    while let Some(first) = rest.chars().next() {
        let (token, behind) = rest.split_at_checked(token(rest, first)).unwrap_or((rest, ""));
        if !first.is_whitespace() && !is_comment(token) {
            words.rotate_left(1);
            words[4] = token;
            if holds(words) {
                return true;
            }
        }
        rest = behind;
    }
    words.rotate_left(1);
    words[4] = "";
    holds(words)
}

/// A message of BigQuery that may be shown: quoted values are masked. Names in backticks are kept.
pub fn without_values(message: &str) -> String {
    /// In `Bad int64 value: 12x` and `Invalid date: 2024-13-01`, the value follows the colon.
    const SIGNS: [&str; 6] = [
        "value: ",
        "parameter value ",
        "Invalid date: ",
        "Invalid datetime: ",
        "Invalid timestamp: ",
        "Invalid time string ",
    ];
    let signs = SIGNS.iter().filter_map(|sign| message.find(sign).map(|at| at + sign.len()));
    let (known, behind) = match signs.min() {
        Some(end) => {
            let (known, value) = message.split_at_checked(end).unwrap_or((message, ""));
            let place = value.find(" at [").or_else(|| value.find(" [at "));
            (known, place.map_or("", |place| text::from(value, place)))
        }
        None => (message, ""),
    };
    let mask = if known.len() == message.len() { "" } else { "?" };
    global::redact(format!("{}{mask}{behind}", without_quotes(known)))
}

/// Replaces quoted text by `?`.
fn without_quotes(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, quoted)) = rest.split_once(['\'', '"']) {
        let quote = if rest.as_bytes().get(before.len()) == Some(&b'"') { "\"" } else { "'" };
        let Some((inside, behind)) = quoted.split_once(quote) else { break };
        // `Unexpected keyword "FROM"` and similar messages quote no value.
        let is_word = !inside.is_empty() && inside.chars().all(|letter| letter.is_ascii_uppercase() || letter == '_');
        let shown_inside = if is_word { inside } else { "?" };
        shown.extend([before, quote, shown_inside, quote]);
        rest = behind;
    }
    shown + rest
}

/// The length of the token at the start of `sql`, which begins with `first`.
fn token(sql: &str, first: char) -> usize {
    let while_ = |belongs: fn(char) -> bool| sql.find(|letter| !belongs(letter)).unwrap_or(sql.len());
    match first {
        _ if first.is_whitespace() => while_(char::is_whitespace),
        '#' => line(sql),
        '-' if sql.starts_with("--") => line(sql),
        '/' if sql.starts_with("/*") => text::from(sql, 2).find("*/").map_or(sql.len(), |end| end + 4),
        '\'' | '"' => string(sql),
        '`' => text::from(sql, 1).find('`').map_or(sql.len(), |end| end + 2),
        '0'..='9' => number(sql),
        '.' if text::from(sql, 1).starts_with(|next: char| next.is_ascii_digit()) => number(sql),
        _ if first.is_alphabetic() || matches!(first, '_' | '@') => {
            let name = while_(|letter| letter.is_alphanumeric() || matches!(letter, '_' | '@'));
            let is_prefix = matches!(text::until(sql, name).to_ascii_lowercase().as_str(), "r" | "b" | "rb" | "br");
            let behind = text::from(sql, name);
            if is_prefix && behind.starts_with(['\'', '"']) { name + string(behind) } else { name }
        }
        other => other.len_utf8(),
    }
}

fn is_comment(token: &str) -> bool {
    token.starts_with('#') || token.starts_with("--") || token.starts_with("/*")
}

fn line(sql: &str) -> usize {
    sql.find('\n').unwrap_or(sql.len())
}

/// The length of a number such as `12`, `1.5e-3` or `0xFF`.
fn number(sql: &str) -> usize {
    let mut previous = ' ';
    for (at, letter) in sql.char_indices() {
        let sign = matches!(letter, '+' | '-') && matches!(previous, 'e' | 'E') && !sql.starts_with("0x");
        if !(letter.is_ascii_alphanumeric() || letter == '.' || sign) {
            return at;
        }
        previous = letter;
    }
    sql.len()
}

/// The length of a string with one or three quotes. An unterminated string extends to the end of the query.
fn string(sql: &str) -> usize {
    let quote = text::until(sql, 1);
    let triple = quote.repeat(3);
    let end = if sql.starts_with(&triple) { triple.as_str() } else { quote };
    let mut escaped = false;
    let from = end.len();
    for (at, letter) in text::from(sql, from).char_indices() {
        // A backslash escapes the next character, also in raw strings.
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if text::from(sql, from + at).starts_with(end) {
            return from + at + end.len();
        } else if letter == '\n' && end.len() == 1 {
            return from + at;
        }
    }
    sql.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_is_left_of_a_query() {
        let sql = "SELECT a1, 'it\\'s', r'\\d', \"ada@example.com\", B'x', 3, .5, 1e-9, 0xFF -- secret 7\n\
                   FROM `my-project.d3.t_2024` /* 12 */ WHERE x=@day AND y IN ('''a\n'b''', -4) # 5";
        assert_eq!(
            without_literals(sql),
            "SELECT a1, ?, ?, ?, ?, ?, ?, ?, ? FROM `my-project.d3.t_2024` WHERE x=@day AND y IN (?, -?)"
        );
        assert_eq!(without_literals("SELECT 'never closed"), "SELECT ?");
        assert_eq!(without_literals("SELECT 'ü€', 'ß"), "SELECT ?, ?");
        assert_eq!(without_literals(""), "");
    }

    #[test]
    fn a_model_is_created_by_words_outside_of_literals_and_comments() {
        for (sql, creates) in [
            ("CREATE MODEL d.m AS SELECT 1", true),
            ("BEGIN create or\nreplace /* the */ Model `d.m` OPTIONS(a = 'b') AS SELECT 1; END", true),
            ("DECLARE x INT64; CREATE MODEL IF NOT EXISTS d.m AS SELECT 1", true),
            ("-- CREATE MODEL d.m\nSELECT 'CREATE MODEL d.m', model FROM d.create", false),
            ("CREATE TABLE d.model AS SELECT 1; DROP MODEL d.m", false),
            ("CREATE OR REPLACE TABLE model AS SELECT 1", false),
            ("", false),
        ] {
            assert_eq!(creates_model(sql), creates, "{sql}");
        }
    }

    #[test]
    fn a_call_and_a_text_that_is_run_are_seen_outside_of_literals_and_comments() {
        for (sql, runs) in [
            ("CALL d.train(1)", true),
            ("BEGIN call `p.d.train`(); END", true),
            ("DECLARE x STRING; EXECUTE /* it */ immediate x USING 1", true),
            ("SELECT 'CALL d.train()'; -- EXECUTE IMMEDIATE x", false),
            ("SELECT call, execute FROM d.calls", false),
            ("CALL", false),
            ("", false),
        ] {
            assert_eq!(runs_unseen(sql), runs, "{sql}");
        }
    }

    #[test]
    fn a_long_query_is_cut() {
        let long = without_literals(&"SELECT column, ".repeat(10_000));
        assert!(long.chars().count() < 2 * LONGEST && long.ends_with('…'), "{}", long.len());
    }

    #[test]
    fn no_value_is_left_of_a_message() {
        assert_eq!(
            without_values("Unexpected string literal 'ada' at [1:8]"),
            "Unexpected string literal '?' at [1:8]"
        );
        assert_eq!(
            without_values("Could not cast literal \"x7\" to type INT64"),
            "Could not cast literal \"?\" to type INT64"
        );
        assert_eq!(without_values("Bad int64 value: 4111x"), "Bad int64 value: ?");
        assert_eq!(
            without_values("Expected end of input but got keyword \"FROM\""),
            "Expected end of input but got keyword \"FROM\""
        );
        assert_eq!(without_values("Not found: Table p:d.t"), "Not found: Table p:d.t");
    }

    #[test]
    fn what_a_query_was_asked_with_is_found_in_any_words() {
        let values = || {
            let sql = "SELECT * FROM d.t WHERE a = 'Ada Lovelace' AND b IN (4711, r'x+y') AND c = 'id' -- 'no' 815";
            let mut values = Values::of(sql);
            values.add("2026-11-26");
            values
        };
        for (said, shown) in [
            ("no row of Ada Lovelace in 4711 at [1:8]", "no row of ? in ? at [1:8]"),
            ("x+y: 14711 and 4711a stay, 4711. does not", "?: 14711 and 4711a stay, ?. does not"),
            ("partition of 2026-11-26 and id 815", "partition of ? and id 815"),
            ("", ""),
        ] {
            assert_eq!(values().masked(said), shown);
        }
        assert_eq!(Values::of("SELECT 'ü€ß', 'never closed").masked("ü€ß, never closed"), "?, never closed");
    }
}
