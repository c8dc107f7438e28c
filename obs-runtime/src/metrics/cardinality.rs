//! Bounds on the number and the length of label values.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The label value of all series beyond the limit.
pub const OTHER: &str = "other";

/// Maximum length of a label value in characters; Datadog accepts no more.
pub const MAX_LABEL_CHARS: usize = 200;

/// Truncates a label value to [`MAX_LABEL_CHARS`]. A truncated value ends in a hash of the whole, so that different values
/// stay different; the hash is the same in every process.
pub fn truncate(value: String) -> String {
    if exceeds(&value, MAX_LABEL_CHARS) { truncate_to(&value, MAX_LABEL_CHARS) } else { value }
}

/// Whether a text has more than `max` characters.
pub fn exceeds(value: &str, max: usize) -> bool {
    value.len() > max && value.chars().nth(max).is_some()
}

/// Truncates a text to `max` characters, the last 17 of which are `…` and a hash of the whole.
pub fn truncate_to(value: &str, max: usize) -> String {
    /// `…` and 16 hexadecimal digits.
    const SUFFIX: usize = 17;
    let mut truncated: String = value.chars().take(max.saturating_sub(SUFFIX)).collect();
    truncated.push('…');
    for byte in &Sha256::digest(value.as_bytes())[..8] {
        // Writing to a string cannot fail.
        let _ = write!(truncated, "{byte:02x}");
    }
    truncated
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_up_to_the_limit_are_unchanged() {
        for value in [String::new(), "é".repeat(MAX_LABEL_CHARS), "x".repeat(MAX_LABEL_CHARS)] {
            assert_eq!(truncate(value.clone()), value);
        }
    }

    #[test]
    fn truncated_values_stay_distinct() {
        let (one, other) = (truncate("é".repeat(1000) + "1"), truncate("é".repeat(1000) + "2"));
        assert_eq!((one.chars().count(), other.chars().count()), (MAX_LABEL_CHARS, MAX_LABEL_CHARS));
        assert!(one.starts_with("éé") && one != other);
        assert_eq!(one, truncate("é".repeat(1000) + "1"));
    }
}
