//! Sizes in bytes, in the binary units that BigQuery bills: "10 GiB", "1.5 TiB".

use proc_macro2::{Literal, Span};
use syn::{Expr, Lit};

use crate::grammar::message;
use crate::grammar::values;
use crate::grammar::vocabulary::Key;

const UNITS: [(&str, u64); 6] =
    [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40), ("PiB", 1 << 50)];

/// Decimal units, which are refused, and the binary unit to use instead.
const OF_THOUSANDS: [(&str, &str); 5] = [("KB", "KiB"), ("MB", "MiB"), ("GB", "GiB"), ("TB", "TiB"), ("PB", "PiB")];

const ALLOWED: &str = "allowed: a number with `B`, `KiB`, `MiB`, `GiB`, `TiB` or `PiB`, as \"10 GiB\" or \"1.5 TiB\"";

/// Parses a size greater than zero.
pub fn number(key: &Key, expr: &Expr) -> syn::Result<u64> {
    let Some(Lit::Str(text)) = values::literal(expr) else {
        return Err(values::wrong(key, expr, "a number of bytes in quotes"));
    };
    parse(&text.value()).map_err(|fault| syn::Error::new_spanned(text, format!("`{}`: {fault}", key.name)))
}

fn parse(text: &str) -> Result<u64, String> {
    let written = text.trim();
    let end = written.find(|character: char| !character.is_ascii_digit() && !matches!(character, '.' | '_'));
    let (digits, unit) = written.split_at(end.unwrap_or(written.len()));
    let unit = unit.trim();
    let no_number = || format!("\"{text}\" is not a number of bytes; {ALLOWED}");
    if digits.is_empty() || unit.is_empty() {
        return Err(no_number());
    }
    if let Some((_, meant)) = OF_THOUSANDS.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)) {
        return Err(format!(
            "\"{text}\" is in units of 1000, and BigQuery bills in units of 1024: write \"{digits} {meant}\"; {ALLOWED}"
        ));
    }
    let Some(size) = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, size)| *size) else {
        let fault = format!("unknown unit \"{unit}\" in \"{text}\"");
        return Err(message::with_suggestion(&fault, unit, UNITS.iter().map(|(name, _)| *name), '"', ALLOWED));
    };
    let bytes = scaled(&digits.replace('_', ""), size).ok_or_else(no_number)?;
    match u64::try_from(bytes) {
        Ok(0) => Err(format!("\"{text}\" is zero; {ALLOWED}")),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(format!("\"{text}\" is too large")),
    }
}

/// `digits`, optionally with a decimal point, times `size`, rounded down.
fn scaled(digits: &str, size: u64) -> Option<u128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if fraction.len() > 15 || whole.len() > 20 {
        return None;
    }
    let power = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let number = format!("{whole}{fraction}").parse::<u128>().ok()?;
    Some(number.checked_mul(size.into())? / power)
}

/// The literal in generated code.
pub fn literal(bytes: u64) -> Literal {
    let mut literal = Literal::u64_unsuffixed(bytes);
    literal.set_span(Span::mixed_site());
    literal
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn numbers_of_bytes_are_read_as_people_write_them() {
        assert_eq!(parse("1 TiB"), Ok(1 << 40));
        assert_eq!(parse("1.5GiB"), Ok(3 << 29));
        assert_eq!(parse(" 7 B "), Ok(7));
        assert_eq!(parse("10_000 MiB"), Ok(10_000 << 20));
    }

    #[test]
    fn invalid_sizes_are_reported() {
        let fault = |text: &str| parse(text).unwrap_err();
        assert!(
            fault("1 tib").contains("unknown unit \"tib\" in \"1 tib\", did you mean \"TiB\"?"),
            "{}",
            fault("1 tib")
        );
        assert!(fault("1 TB").contains("BigQuery bills in units of 1024: write \"1 TiB\"; "), "{}", fault("1 TB"));
        assert!(fault("1.5gb").contains("write \"1.5 GiB\""));
        assert!(fault("12").contains("is not a number of bytes"));
        assert!(fault("TiB").contains("is not a number of bytes"));
        assert!(fault("1.2.3 TiB").contains("is not a number of bytes"));
        assert!(fault("-1 TiB").contains("is not a number of bytes"));
        assert!(fault("0 TiB").contains("is zero"));
        assert!(fault("99999 PiB").contains("too large"));
    }
}
