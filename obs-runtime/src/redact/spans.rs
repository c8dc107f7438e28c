//! Parts of a text that have to be hidden.

use std::borrow::Cow;
use std::ops::Range;

use crate::base::secret::MASK;
use crate::events::field::Text;

/// Parts of a text that have to be hidden, in any order. They may overlap.
#[derive(Debug, Default)]
pub struct Spans(Vec<Range<usize>>);

impl Spans {
    /// Adds a part, given by byte offsets at character boundaries.
    pub fn add(&mut self, span: Range<usize>) {
        if !span.is_empty() {
            self.0.push(span);
        }
    }

    /// The parts that start before a position, ended there.
    pub fn until(mut self, end: usize) -> Self {
        self.0.retain(|span| span.start < end);
        self.0.iter_mut().for_each(|span| span.end = span.end.min(end));
        self
    }

    /// Replaces each part of the text with `[REDACTED]`; overlapping parts are merged.
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
            copied = copied.max(text.ceil_char_boundary(span.end));
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
