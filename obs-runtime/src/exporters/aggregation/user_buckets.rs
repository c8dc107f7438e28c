//! Bucket bounds of the program's own histograms, the same for all exporters that have buckets.

use crate::metrics::catalogue::{BYTES, ROWS, SECONDS, USD};

/// Bucket bounds of histograms without a unit in their name.
pub const UNITLESS: [f64; 26] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0,
    1000.0, 2500.0, 5000.0, 10_000.0, 1e5, 1e6, 1e8, 1e10,
];

/// Bucket bounds of histograms by the last word of their name.
pub const BY_SUFFIX: [(&str, &[f64]); 4] = [("seconds", &SECONDS), ("bytes", &BYTES), ("rows", &ROWS), ("usd", &USD)];

/// The bounds of the histogram of that name.
#[cfg(feature = "otlp")]
pub fn bounds(name: &str) -> &'static [f64] {
    let is_part = |letter: char| letter.is_ascii_alphanumeric() || letter == ':';
    let word = name.rsplit(|letter| !is_part(letter)).next().unwrap_or_default();
    let found = BY_SUFFIX.iter().find(|(suffix, _)| *suffix == word && word.len() < name.len());
    found.map_or(&UNITLESS, |(_, bounds)| bounds)
}

#[cfg(all(test, feature = "otlp"))]
mod tests {
    use super::*;

    #[test]
    fn the_last_word_of_a_name_is_its_unit() {
        for (name, expected) in [
            ("load.seconds", &SECONDS[..]),
            ("load_time_seconds", &SECONDS),
            ("read-bytes", &BYTES),
            ("load.rows", &ROWS),
            ("spent usd", &USD),
            ("seconds", &UNITLESS),
            ("milliseconds", &UNITLESS),
            ("load.seconds.", &UNITLESS),
            ("load.seconds.max", &UNITLESS),
        ] {
            assert_eq!(bounds(name), expected, "{name}");
        }
    }
}
