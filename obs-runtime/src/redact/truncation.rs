//! Long texts are truncated. A part behind the limit is read as well, so that a secret is recognised that the limit divides.

use std::borrow::Cow;

use crate::base::secret::MASK;
use crate::base::text;
use crate::events::field::Text;
use crate::redact::spans::Spans;

/// Maximum length of an exported text in bytes; longer ones are truncated and marked.
pub const MAX_TEXT: usize = 64 * 1024;

/// How far behind the limit a text is read, in bytes.
const BEHIND: usize = 4 * 1024;

/// The start of the mark of a truncated text.
pub const CUT: &str = "…[cut ";

/// Space for the mark, so that the result is not truncated again.
const MARK: usize = 48;

/// Where a text is truncated.
#[derive(Clone, Copy, Debug)]
pub struct Cut {
    /// The end of what is exported.
    end: usize,
    /// The length of the whole text.
    length: usize,
}

/// The part of a text that is read, and where it is truncated if it is too long. It is truncated between words if possible.
pub fn read_part(text: Text<'_>) -> (Text<'_>, Option<Cut>) {
    /// How far before the limit a space is looked for.
    const WORD: usize = 1024;
    if text.len() <= MAX_TEXT {
        return (text, None);
    }
    let end = text.floor_char_boundary(MAX_TEXT - MARK);
    let word = text.floor_char_boundary(end - WORD);
    let end = text::part(&text, word..end).rfind(char::is_whitespace).map_or(end, |space| word + space);
    let cut = Cut { end, length: text.len() };
    let read = match text {
        Cow::Borrowed(text) => Cow::Borrowed(text::until(text, MAX_TEXT + BEHIND)),
        Cow::Owned(mut text) => {
            text.truncate(text.floor_char_boundary(MAX_TEXT + BEHIND));
            Cow::Owned(text)
        }
    };
    (read, Some(cut))
}

impl Cut {
    /// Masks the spans and truncates the text: before the span that the limit divides, which is replaced as well.
    pub fn apply(self, text: &str, spans: Spans) -> String {
        let kept = text::until(text, self.end);
        let masked = spans.until(self.end).mask(Cow::Borrowed(kept));
        // Masks may be longer than what they replace; one that the limit divides stays.
        let limit = masked.floor_char_boundary(MAX_TEXT - MARK);
        let mask = text::from(&masked, limit.saturating_sub(MASK.len())).find(MASK);
        let end = mask.map_or(limit, |at| limit.saturating_sub(MASK.len()) + at + MASK.len()).max(limit);
        format!("{}{CUT}{} bytes]", text::until(&masked, end), self.length - kept.len())
    }
}
