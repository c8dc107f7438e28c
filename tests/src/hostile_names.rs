//! Metric names and tags with characters that have a meaning in some format.

use metrics::Label;

use crate::generator::Dice;

fn text(dice: &mut Dice) -> String {
    const LETTERS: [char; 44] = [
        'a', 'B', '7', '_', '-', '.', '/', ':', '|', ',', '#', '@', '\n', '\r', '\t', '\0', ' ', '"', '\'', '\\', '{',
        '}', '[', ']', '=', ';', '%', '$', '~', '+', '*', '?', '<', '>', '!', 'ü', 'ß', '大', '😀', '\u{2028}',
        '\u{85}', '\u{7f}', '\u{301}', '\u{202e}',
    ];
    let length = if dice.once_in(20) { 150 + dice.below(300) } else { dice.below(12) };
    (0..length).map(|_| LETTERS[dice.below(LETTERS.len())]).collect()
}

/// Records `count` series, each once. Of sixteen, one is a histogram, five are counters and five gauges by the macros of the
/// crate `metrics`, with three labels each, and five are counts of `bigquery.operation`. The first three kinds have names
/// that begin with `h`, `c` or `g` and a number, so that no two are equal. `between` is called after each thousand.
pub fn record(count: u32, between: impl Fn()) {
    let mut dice = Dice::new(1);
    for number in 0..count {
        let labels = vec![
            Label::new(text(&mut dice), text(&mut dice)),
            Label::new(text(&mut dice), text(&mut dice)),
            Label::new("zone", text(&mut dice)),
        ];
        match number % 16 {
            0 => metrics::histogram!(format!("h{number}{}", text(&mut dice)), labels).record(f64::from(number) - 7.0),
            1..=5 => metrics::counter!(format!("c{number}{}", text(&mut dice)), labels).increment(1),
            6..=10 => metrics::gauge!(format!("g{number}{}", text(&mut dice)), labels).set(f64::from(number)),
            _ => obs_runtime::track_bigquery_operation(format!("o{number}{}", text(&mut dice)), text(&mut dice)),
        }
        if number % 1000 == 999 {
            between();
        }
    }
}

/// Whether a metric's name is one of [`record`]'s that begin with this letter.
#[must_use]
pub fn begins_with(letter: char, name: &str) -> bool {
    name.strip_prefix(letter).is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}
