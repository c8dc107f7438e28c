//! Timestamps as BigQuery's REST API writes them: seconds since 1970 as a decimal number, `1.408452095123456E9`. A float of
//! 64 bits does not hold the microseconds of all years up to 9999.

use jiff::SignedDuration;
use jiff::civil::DateTime;

/// Microseconds since 1970. Digits beyond microseconds are rounded. `None` if the text is no such number.
pub fn micros(text: &str) -> Option<i64> {
    /// More digits than any timestamp has.
    const MAX_DIGITS: usize = 30;
    let (negative, unsigned) = match text.strip_prefix('-') {
        Some(unsigned) => (true, unsigned),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (unsigned, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = || whole.bytes().chain(fraction.bytes());
    let length = digits().count();
    if length == 0 || length > MAX_DIGITS || !digits().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let number = digits().fold(0_i128, |number, digit| number * 10 + i128::from(digit - b'0'));
    // The number is `number` times ten to the power of `shift` microseconds.
    let shift = exponent.checked_add(6)?.checked_sub(i32::try_from(fraction.len()).ok()?)?;
    let power = 10_i128.checked_pow(shift.unsigned_abs());
    let micros = match (power, shift >= 0) {
        (Some(power), true) => number.checked_mul(power)?,
        (Some(power), false) => (number + power / 2) / power,
        (None, true) => Some(0).filter(|_| number == 0)?,
        (None, false) => 0,
    };
    i64::try_from(if negative { -micros } else { micros }).ok()
}

/// A point in time as RFC 3339, for all years that BigQuery has. `None` outside of them.
pub fn rfc3339(micros: i64) -> Option<String> {
    // A `jiff::Timestamp` ends a day before the year 9999 does.
    const EPOCH: DateTime = DateTime::constant(1970, 1, 1, 0, 0, 0, 0);
    let time = EPOCH.checked_add(SignedDuration::from_micros(micros)).ok()?;
    (1..=9999).contains(&time.year()).then(|| format!("{time}Z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_microsecond_of_every_year_is_read() {
        for (text, expected) in [
            ("2.53402300799999999E11", "9999-12-31T23:59:59.999999Z"),
            ("253402300799.999999", "9999-12-31T23:59:59.999999Z"),
            ("1.779982200123456E9", "2026-05-28T15:30:00.123456Z"),
            ("-6.2135596800E10", "0001-01-01T00:00:00Z"),
            ("9.000000000000001E9", "2255-03-14T16:00:00.000001Z"),
            ("1.408452095123456e+9", "2014-08-19T12:41:35.123456Z"),
            ("0.0", "1970-01-01T00:00:00Z"),
            ("-1.0E-6", "1969-12-31T23:59:59.999999Z"),
            ("-0.5", "1969-12-31T23:59:59.5Z"),
            ("1E9", "2001-09-09T01:46:40Z"),
            ("1.0000004E-6", "1970-01-01T00:00:00.000001Z"),
            ("0E400", "1970-01-01T00:00:00Z"),
            ("1E-400", "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(micros(text).and_then(rfc3339).as_deref(), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_timestamp_is_not_read() {
        for text in [
            "",
            "-",
            ".",
            "E9",
            "1E",
            "x",
            "1.2.3",
            "NaN",
            "inf",
            "1E400",
            "9E18",
            "1E2147483647",
            "--1",
            "１",
            "2026-05-28",
        ] {
            assert_eq!(micros(text), None, "{text}");
        }
        assert_eq!(micros("2.53402300800E11").map(rfc3339), Some(None), "the year 10000");
        assert_eq!(micros("-6.21355968001E10").map(rfc3339), Some(None), "before the year 1");
    }
}
