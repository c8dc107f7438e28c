//! Durations: "500ms", "2s", "1m 30s".

use proc_macro2::{Literal, Span};
use syn::{Expr, Lit, LitStr};

use crate::grammar::message;
use crate::grammar::values;
use crate::grammar::vocabulary::Key;

const UNITS: [(&str, u64); 18] = [
    ("ms", 1),
    ("msec", 1),
    ("milliseconds", 1),
    ("millisecond", 1),
    ("s", 1_000),
    ("secs", 1_000),
    ("sec", 1_000),
    ("seconds", 1_000),
    ("second", 1_000),
    ("m", 60_000),
    ("mins", 60_000),
    ("min", 60_000),
    ("minutes", 60_000),
    ("minute", 60_000),
    ("h", 3_600_000),
    ("hr", 3_600_000),
    ("hours", 3_600_000),
    ("hour", 3_600_000),
];

const ALLOWED: &str = "allowed: whole numbers with `ms`, `s`, `m` or `h`, as \"500ms\", \"2s\" or \"1m 30s\"";

/// Parses a duration greater than zero, in milliseconds.
pub fn milliseconds(key: &Key, expr: &Expr) -> syn::Result<u64> {
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return Err(values::wrong(key, expr, "a duration in quotes"));
    };
    parse(&text.value()).map_err(|fault| syn::Error::new_spanned(text, format!("`{}`: {fault}", key.name)))
}

/// Parses an interval between runs, in whole minutes. Returns the schedule in words too.
pub fn interval(key: &Key, expr: &Expr) -> syn::Result<(LitStr, u64)> {
    const MINUTE: u64 = 60_000;
    let milliseconds = milliseconds(key, expr)?;
    if !milliseconds.is_multiple_of(MINUTE) {
        let message = format!("`{}`: an interval is whole minutes: `{}`", key.name, key.usage);
        return Err(syn::Error::new_spanned(expr, message));
    }
    let minutes = milliseconds / MINUTE;
    let words =
        if minutes.is_multiple_of(60) { format!("@every {}h", minutes / 60) } else { format!("@every {minutes}m") };
    Ok((LitStr::new(&words, Span::mixed_site()), milliseconds))
}

/// Parses a duration greater than zero, in milliseconds.
pub fn parse(text: &str) -> Result<u64, String> {
    let mut total: u64 = 0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (digits, behind) = split_while(rest, |character| character.is_ascii_digit());
        let (unit, behind) =
            split_while(behind.trim_start(), |character| !character.is_ascii_digit() && !character.is_whitespace());
        if digits.is_empty() || unit.is_empty() {
            return Err(format!("\"{text}\" is not a duration; {ALLOWED}"));
        }
        let Some(length) = unit_length(unit) else {
            let fault = format!("unknown unit \"{unit}\" in \"{text}\"");
            return Err(message::with_suggestion(&fault, unit, UNITS.iter().map(|(name, _)| *name), '"', ALLOWED));
        };
        total = digits
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(length))
            .and_then(|length| total.checked_add(length))
            .ok_or_else(|| format!("\"{text}\" is too long"))?;
        rest = behind.trim_start();
    }
    if total == 0 { Err(format!("\"{text}\" is zero; {ALLOWED}")) } else { Ok(total) }
}

fn unit_length(unit: &str) -> Option<u64> {
    UNITS.iter().find(|(name, _)| *name == unit).map(|(_, length)| *length)
}

fn split_while(text: &str, belongs: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(|character| !belongs(character)).unwrap_or(text.len()))
}

/// The literal in generated code.
pub fn literal(milliseconds: u64) -> Literal {
    let mut literal = Literal::u64_unsuffixed(milliseconds);
    literal.set_span(Span::mixed_site());
    literal
}
