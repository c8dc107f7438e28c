//! Service-level objectives: `slo = "99.5%"`.

use proc_macro2::{Literal, Span};
use syn::{Expr, Lit};

use crate::grammar::values;
use crate::grammar::vocabulary::Key;

/// The most decimals of an objective: "99.9999%".
const DECIMALS: usize = 4;

/// Parses a share of calls as a percentage above 0 and below 100. Returns what may fail, in parts per million.
pub fn share(key: &Key, expr: &Expr) -> syn::Result<u32> {
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return Err(values::wrong(key, expr, "a percentage in quotes"));
    };
    let written = text.value();
    parts(written.trim()).ok_or_else(|| {
        let message = format!(
            "`{}`: \"{written}\" is not an objective; allowed: a percentage above 0 and below 100 with at most {DECIMALS} \
             decimals, as \"99.5%\"",
            key.name
        );
        syn::Error::new_spanned(text, message)
    })
}

/// 5000 for `99.5%`.
fn parts(text: &str) -> Option<u32> {
    let number = text.strip_suffix('%')?.trim_end();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) || whole.len() > 2 || decimals.len() > DECIMALS {
        return None;
    }
    let good: u32 = format!("{whole}{decimals:0<DECIMALS$}").parse().ok()?;
    (good > 0).then(|| 1_000_000 - good)
}

/// The literal in generated code.
pub fn literal(parts: u32) -> Literal {
    let mut literal = Literal::u32_unsuffixed(parts);
    literal.set_span(Span::mixed_site());
    literal
}

#[cfg(test)]
mod tests {
    use super::parts;

    #[test]
    fn objectives_are_parts_per_million_that_may_fail() {
        for (text, expected) in [
            ("99.5%", Some(5000)),
            ("99%", Some(10_000)),
            ("99.9999%", Some(1)),
            ("0.0001%", Some(999_999)),
            ("99.5 %", Some(5000)),
            ("100%", None),
            ("0%", None),
            ("99.99999%", None),
            ("99.5", None),
            ("99,5%", None),
            ("-1%", None),
            (".5%", None),
            ("99.%", None),
            ("%", None),
        ] {
            assert_eq!(parts(text), expected, "{text}");
        }
    }
}
