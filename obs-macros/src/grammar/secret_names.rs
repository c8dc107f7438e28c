//! Names that suggest a secret value.

use crate::grammar::secret_words::{is_property, is_question, lookup};

/// The most words of a name that are one word of the table: `shared_access_key`.
const MAX_WORDS: usize = 4;

/// Whether a value of this name is likely to be a secret.
pub fn looks_secret(name: &str) -> bool {
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split('_').filter(|word| !word.is_empty()).collect();
    if words.last().is_some_and(|last| is_property(last)) || words.first().is_some_and(|first| is_question(first)) {
        return false;
    }
    let is_secret = |run: &[&str]| lookup(&run.concat(), run.len() == 1).is_some();
    name == "key" || (1..=MAX_WORDS).any(|length| words.windows(length).any(is_secret))
}
