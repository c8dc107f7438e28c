//! The keywords of all [rules](crate::redact::rules::RULES), arranged at compile time so that the scan of a text compares few
//! of them: at a pivot, the two bytes before it tell whether any keyword can match.
//!
//! An aho-corasick automaton of the keywords takes as long for a whole text as the rest of the scan, which needs the same
//! bytes for other purposes.

use crate::redact::rules::{PIVOTS, RULES};

/// A keyword, with its pivot and its rule.
#[derive(Clone, Copy)]
struct Keyword {
    text: &'static str,
    /// The position of the pivot in the keyword.
    pivot: usize,
    rule: usize,
}

const COUNT: usize = {
    let (mut count, mut rule) = (0, 0);
    while rule < RULES.len() {
        count += RULES[rule].keywords.len();
        rule += 1;
    }
    count
};

const fn is_pivot(byte: u8) -> bool {
    let mut index = 0;
    while index < PIVOTS.len() {
        if PIVOTS[index] == byte {
            return true;
        }
        index += 1;
    }
    false
}

/// The position of the last pivot in a keyword. A keyword without one does not compile.
const fn pivot_of(keyword: &str) -> usize {
    let bytes = keyword.as_bytes();
    let mut index = bytes.len();
    while index > 0 {
        index -= 1;
        if is_pivot(bytes[index]) {
            return index;
        }
    }
    panic!("every keyword contains a pivot")
}

/// The keywords, sorted by their pivot.
static KEYWORDS: [Keyword; COUNT] = {
    let mut keywords = [Keyword { text: "", pivot: 0, rule: 0 }; COUNT];
    let (mut count, mut at) = (0, 0);
    while at < PIVOTS.len() {
        let mut rule = 0;
        while rule < RULES.len() {
            let mut index = 0;
            while index < RULES[rule].keywords.len() {
                let text = RULES[rule].keywords[index];
                let pivot = pivot_of(text);
                if text.as_bytes()[pivot] == PIVOTS[at] {
                    keywords[count] = Keyword { text, pivot, rule };
                    count += 1;
                }
                index += 1;
            }
            rule += 1;
        }
        at += 1;
    }
    keywords
};

/// Where the keywords of each pivot are in [`KEYWORDS`]: from one number to the next.
static STARTS: [usize; PIVOTS.len() + 1] = {
    let mut starts = [0; PIVOTS.len() + 1];
    let (mut index, mut at) = (0, 0);
    while at < PIVOTS.len() {
        while index < COUNT && KEYWORDS[index].text.as_bytes()[KEYWORDS[index].pivot] == PIVOTS[at] {
            index += 1;
        }
        at += 1;
        starts[at] = index;
    }
    starts
};

/// One bit for each two bytes that may stand before a pivot.
static BEFORE: [u64; 1024] = {
    let mut bits = [0_u64; 1024];
    let mut index = 0;
    while index < COUNT {
        let Keyword { text, pivot, .. } = KEYWORDS[index];
        assert!(pivot > 0, "a byte stands before the pivot of every keyword");
        let last = text.as_bytes()[pivot - 1] as usize;
        // Any byte, if the keyword begins with the last one.
        let mut before = if pivot > 1 { text.as_bytes()[pivot - 2] as usize } else { 0 };
        let end = if pivot > 1 { before } else { 255 };
        while before <= end {
            let bit = before << 8 | last;
            bits[bit / 64] |= 1 << (bit % 64);
            before += 1;
        }
        index += 1;
    }
    bits
};

/// The rules, as bits, of the keywords whose pivot is at `index`.
#[inline]
pub fn rules_at(bytes: &[u8], index: usize) -> u64 {
    let may_match = match bytes[..index] {
        [.., before, last] => {
            let bit = usize::from(before) << 8 | usize::from(last);
            BEFORE[bit / 64] >> (bit % 64) & 1 == 1
        }
        [_] => true,
        [] => false,
    };
    if may_match { matching(bytes, index) } else { 0 }
}

fn matching(bytes: &[u8], index: usize) -> u64 {
    let Some(place) = PIVOTS.iter().position(|pivot| *pivot == bytes[index]) else { return 0 };
    let (from, until) = (STARTS[place], STARTS[place + 1]);
    let matches = |keyword: &&Keyword| {
        let start = index.checked_sub(keyword.pivot);
        // Most keywords differ in their first byte.
        start.is_some_and(|start| {
            bytes[start] == keyword.text.as_bytes()[0] && bytes[start..].starts_with(keyword.text.as_bytes())
        })
    };
    KEYWORDS[from..until].iter().filter(matches).fold(0, |rules, keyword| rules | 1 << keyword.rule)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_keyword_is_found_at_its_pivot_only() {
        for (number, rule) in RULES.iter().enumerate() {
            for keyword in rule.keywords {
                let text = format!("of {keyword} x");
                let at = 3 + pivot_of(keyword);
                assert_eq!(rules_at(text.as_bytes(), at) >> number & 1, 1, "{keyword}");
                let alone = keyword.as_bytes();
                assert_eq!(rules_at(alone, pivot_of(keyword)) >> number & 1, 1, "{keyword}");
            }
        }
        for text in ["orders_daily", "of-the", "a.b", "K", "_"] {
            let found = (0..text.len()).fold(0, |rules, index| rules | rules_at(text.as_bytes(), index));
            assert_eq!(found, 0, "{text}");
        }
    }
}
