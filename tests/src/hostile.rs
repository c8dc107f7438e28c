//! Names and tags with everything in them that ends or means something somewhere.

use metrics::Label;

/// Numbers that look random, the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % limit as u64).unwrap()
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 44] = [
            'a', 'B', '7', '_', '-', '.', '/', ':', '|', ',', '#', '@', '\n', '\r', '\t', '\0', ' ', '"', '\'', '\\',
            '{', '}', '[', ']', '=', ';', '%', '$', '~', '+', '*', '?', '<', '>', '!', 'ü', 'ß', '大', '😀',
            '\u{2028}', '\u{85}', '\u{7f}', '\u{301}', '\u{202e}',
        ];
        let length = if self.below(20) == 0 { 150 + self.below(300) } else { self.below(12) };
        (0..length).map(|_| LETTERS[self.below(LETTERS.len())]).collect()
    }
}

/// Measures that many series, each once: of sixteen, one histogram, five counters and five gauges by the macros of the crate
/// `metrics`, with three labels each, and five counts of `bigquery.operation`. What the program names begins with `h`, `c` or
/// `g` and a number, which tells them all apart. `between` is called after each thousand.
pub fn measure(many: u32, between: impl Fn()) {
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    for number in 0..many {
        let labels = vec![
            Label::new(numbers.text(), numbers.text()),
            Label::new(numbers.text(), numbers.text()),
            Label::new("zone", numbers.text()),
        ];
        match number % 16 {
            0 => metrics::histogram!(format!("h{number}{}", numbers.text()), labels).record(f64::from(number) - 7.0),
            1..=5 => metrics::counter!(format!("c{number}{}", numbers.text()), labels).increment(1),
            6..=10 => metrics::gauge!(format!("g{number}{}", numbers.text()), labels).set(f64::from(number)),
            _ => obs_runtime::track_bigquery_operation(format!("o{number}{}", numbers.text()), numbers.text()),
        }
        if number % 1000 == 999 {
            between();
        }
    }
}

/// Whether a metric's name is one of [`measure`]'s that begin with this letter.
#[must_use]
pub fn is_of(letter: char, name: &str) -> bool {
    name.strip_prefix(letter).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}
