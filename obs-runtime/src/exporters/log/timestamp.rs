//! Timestamps: RFC 3339, UTC, microseconds.

use std::io::Write as _;
use std::time::{SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

use crate::config::log_layout::LogTime;

const SECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
const MICROSECONDS: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// The last second that jiff knows, shortly before RFC 3339 ends with the year 9999.
const END: u64 = 253_402_207_200;

/// Formats timestamps. Keeps the date and time of the last second, which the next line often shares.
#[derive(Default)]
pub struct TimestampFormatter {
    /// The last second, since 1970.
    second: Option<u64>,
    /// `2026-01-01T00:00:00`
    date: Vec<u8>,
}

impl TimestampFormatter {
    /// Writes a time as `2026-01-01T00:00:00.000000Z`. Clamps times out of range.
    pub fn write(&mut self, time: SystemTime, line: &mut Vec<u8>) {
        let Some(since) = time.duration_since(UNIX_EPOCH).ok().filter(|since| since.as_secs() < END) else {
            return write_out_of_range(time, line);
        };
        if self.second != Some(since.as_secs()) {
            self.date.clear();
            let second = Timestamp::from_second(since.as_secs().cast_signed()).unwrap_or(Timestamp::MAX);
            // Writing to a `Vec` does not fail.
            let _ = SECONDS.print_timestamp(&second, &mut self.date);
            self.date.pop();
            self.second = Some(since.as_secs());
        }
        line.extend_from_slice(&self.date);
        let mut fraction = *b".000000Z";
        let mut rest = since.subsec_micros();
        for digit in fraction[1..7].iter_mut().rev() {
            // A digit fits into a byte.
            *digit = b'0' + (rest % 10).to_le_bytes()[0];
            rest /= 10;
        }
        line.extend_from_slice(&fraction);
    }
}

/// Writes a time as a member of JSON in that form.
pub fn write_value(form: LogTime, time: SystemTime, formatter: &mut TimestampFormatter, line: &mut Vec<u8>) {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    // Writing to a `Vec` does not fail.
    let _ = match form {
        LogTime::UnixMillis => write!(line, "{}", since.as_millis()),
        LogTime::UnixNanos => write!(line, "{}", since.as_nanos()),
        LogTime::Rfc3339 => {
            line.push(b'"');
            formatter.write(time, line);
            line.push(b'"');
            Ok(())
        }
    };
}

fn write_out_of_range(time: SystemTime, line: &mut Vec<u8>) {
    let out_of_range = if time < UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::try_from(time).unwrap_or(out_of_range);
    // Writing to a `Vec` does not fail.
    let _ = MICROSECONDS.print_timestamp(&time, line);
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn times_of_the_same_and_of_other_seconds_are_written_correctly() {
        let mut timestamps = TimestampFormatter::default();
        for (micros, expected) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_767_225_600_000_001, "2026-01-01T00:00:00.000001Z"),
            (1_767_225_600_999_999, "2026-01-01T00:00:00.999999Z"),
            (1_767_225_601_000_000, "2026-01-01T00:00:01.000000Z"),
            (1_767_225_600_120_000, "2026-01-01T00:00:00.120000Z"),
            (253_402_207_199_999_999, "9999-12-30T21:59:59.999999Z"),
        ] {
            let mut line = Vec::new();
            timestamps.write(UNIX_EPOCH + Duration::from_micros(micros), &mut line);
            assert_eq!(String::from_utf8(line).unwrap(), expected);
        }
    }
}
