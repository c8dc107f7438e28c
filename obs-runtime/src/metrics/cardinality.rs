//! What keeps the number and the length of label values within bounds.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// The value that stands for all those past the limit of series.
pub const OTHER: &str = "other";

/// The longest value of a label, in characters: what Datadog takes at most.
pub const LONGEST: usize = 200;

/// A label's value, cut if it is longer than [`LONGEST`]. Values that differ still do: the end of what was cut is a hash of
/// the whole, the same in every process.
pub fn cut(value: String) -> String {
    if is_longer(&value, LONGEST) { cut_to(&value, LONGEST) } else { value }
}

/// Whether a text has more characters than that.
pub fn is_longer(value: &str, longest: usize) -> bool {
    value.len() > longest && value.chars().nth(longest).is_some()
}

/// A text that is longer than that cut to so many characters, of which the last are a hash.
pub fn cut_to(value: &str, longest: usize) -> String {
    /// `…` and 16 hexadecimal digits.
    const END: usize = 17;
    let mut cut: String = value.chars().take(longest.saturating_sub(END)).collect();
    cut.push('…');
    for byte in &Sha256::digest(value.as_bytes())[..8] {
        // Writing to a string cannot fail.
        let _ = write!(cut, "{byte:02x}");
    }
    cut
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_up_to_the_limit_stay_as_they_are() {
        for value in [String::new(), "é".repeat(LONGEST), "x".repeat(LONGEST)] {
            assert_eq!(cut(value.clone()), value);
        }
    }

    #[test]
    fn longer_values_are_cut_and_stay_apart() {
        let (one, other) = (cut("é".repeat(1000) + "1"), cut("é".repeat(1000) + "2"));
        assert_eq!((one.chars().count(), other.chars().count()), (LONGEST, LONGEST));
        assert!(one.starts_with("éé") && one != other);
        assert_eq!(one, cut("é".repeat(1000) + "1"));
    }
}
