//! Times as lines have them.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::fmt::temporal::DateTimePrinter;

/// RFC 3339, UTC, microseconds.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(6));

/// Writes a time as `2026-01-01T00:00:00.000000Z`; one that is out of range as the nearest that is not.
pub fn write(time: SystemTime, line: &mut Vec<u8>) {
    let out_of_range = if time < SystemTime::UNIX_EPOCH { Timestamp::MIN } else { Timestamp::MAX };
    let time = Timestamp::try_from(time).unwrap_or(out_of_range);
    // Writing into memory does not fail.
    let _ = PRINTER.print_timestamp(&time, line);
}
