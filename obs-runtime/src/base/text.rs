//! Parts of texts by byte positions, for any text: a position inside a character counts as that character's start, and one
//! behind the end as the end.

use std::ops::Range;

/// The part before a position.
pub fn until(text: &str, end: usize) -> &str {
    part(text, 0..end)
}

/// The part from a position on.
pub fn from(text: &str, start: usize) -> &str {
    part(text, start..text.len())
}

/// The part between two positions; empty if they are in the wrong order.
pub fn part(text: &str, range: Range<usize>) -> &str {
    // Positions at character boundaries, which nearly all are, are checked once.
    text.get(range.clone()).unwrap_or_else(|| {
        let (start, end) = (text.floor_char_boundary(range.start), text.floor_char_boundary(range.end));
        text.get(start..end).unwrap_or_default()
    })
}

/// Whether a terminal or a viewer acts on a character: controls, separators of lines, and overrides of the direction of text.
pub const fn is_active(c: char) -> bool {
    c.is_ascii_control()
        || matches!(c, '\u{80}'..='\u{9f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_inside_a_character_is_its_start() {
        for ((start, end), expected) in [
            ((0, 3), "日"),
            ((1, 3), "日"),
            ((3, 5), ""),
            ((3, 7), "本x"),
            ((2, 99), "日本x"),
            ((7, 7), ""),
            ((9, 2), ""),
        ] {
            assert_eq!(part("日本x", start..end), expected, "{start}..{end}");
        }
        assert_eq!((until("日本", 4), from("日本", 4), from("日本", 40)), ("日", "本", ""));
    }
}
