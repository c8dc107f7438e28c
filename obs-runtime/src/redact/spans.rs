//! Parts of a text that must not leave.

use std::borrow::Cow;
use std::ops::Range;

use crate::base::secret::MASK;
use crate::events::field::Text;

/// Parts of a text that must not leave, in any order; they may overlap.
#[derive(Debug, Default)]
pub struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Adds a part, by byte offsets that lie between characters.
    pub fn add(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.0.push(span);
        }
    }

    /// The text with `[REDACTED]` in place of each part; overlapping parts become one.
    pub fn mask(mut self, text: Text<'_>) -> Text<'_> {
        self.0.sort_unstable_by_key(|span| (span.start, span.end));
        let mut masked = String::new();
        let mut copied = 0;
        for span in self.0 {
            if span.start >= copied {
                let Some(before) = text.get(copied..span.start) else { continue };
                if copied == 0 {
                    masked.reserve(text.len() + MASK.len());
                }
                masked.push_str(before);
                masked.push_str(MASK);
            }
            copied = copied.max(ceil(&text, span.end));
        }
        match text.get(copied..) {
            Some(rest) if copied > 0 => {
                masked.push_str(rest);
                Cow::Owned(masked)
            }
            _ => text,
        }
    }
}

/// The last boundary of characters that is not after that byte.
pub fn floor(text: &str, index: usize) -> usize {
    (0..=index.min(text.len())).rev().find(|index| text.is_char_boundary(*index)).unwrap_or(0)
}

/// The first boundary of characters that is not before that byte.
fn ceil(text: &str, index: usize) -> usize {
    (index..text.len()).find(|index| text.is_char_boundary(*index)).unwrap_or(text.len())
}
