//! Field names that indicate a secret value.

use crate::redact::cache::Cache;
use crate::redact::secret_words::{self, Word};

/// What a name indicates about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// The value is a secret.
    Secret(SecretName),
    /// The value is an SQL statement.
    Sql,
}

impl Kind {
    /// Encodes the kind for a [`Cache`]. Never 0, and bit 64 is never set.
    pub const fn flags(self) -> u8 {
        match self {
            Self::Plain => PLAIN,
            Self::Sql => SQL,
            Self::Secret(SecretName(flags)) => flags,
        }
    }

    /// Decodes [`flags`](Self::flags).
    pub const fn from_flags(flags: u8) -> Self {
        match flags {
            PLAIN => Self::Plain,
            SQL => Self::Sql,
            _ => Self::Secret(SecretName(flags)),
        }
    }
}

/// Properties of a name that contains the name of a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretName(u8);

/// The name is the secret's name: `password`, `api_key`.
const EXACT: u8 = 1;
/// The name ends with the secret's name in the singular: `customer_ssn`, but neither `ssn_index` nor `input_tokens`.
const ENDS: u8 = 2;
/// The name is about a property of the secret: `token_count`, `has_password`.
const PROPERTY: u8 = 4;
/// The secret's name is also an ordinary word: `token`, `session`, `email`.
const PROSE: u8 = 8;
/// The value extends to the end of the line: `cookie: a=b; c=d`.
const HEADER: u8 = 16;
/// Set for every secret, so that the flags are never 0.
const SECRET: u8 = 128;
const PLAIN: u8 = 1;
const SQL: u8 = 2;

impl SecretName {
    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Whether a text with this name is hidden.
    pub fn hides_text(self, text: &str) -> bool {
        if self.has(PROPERTY) {
            return !is_value_of_property(text);
        }
        !text.is_empty() && (self.has(ENDS) || !text.bytes().all(|byte| byte.is_ascii_digit()))
    }

    /// Whether a number with this name is hidden.
    pub const fn hides_numbers(self) -> bool {
        self.is_exact() || self.has(ENDS) && !self.has(PROPERTY)
    }

    /// Whether the name is about a property of the secret.
    pub const fn is_property(self) -> bool {
        self.has(PROPERTY)
    }

    /// Whether the name is the secret's name and nothing else.
    pub const fn is_exact(self) -> bool {
        self.has(EXACT)
    }

    /// Whether the name is also an ordinary word, after which a colon need not introduce a secret.
    pub const fn is_prose(self) -> bool {
        self.has(PROSE)
    }

    /// Whether the value extends to the end of the line.
    pub const fn is_header(self) -> bool {
        self.has(HEADER)
    }
}

/// The names of secrets: built-in ones and those of the configuration.
#[derive(Debug)]
pub struct Names {
    /// In lower case, without separators.
    custom: Vec<String>,
    cache: Cache,
}

/// Maximum length of a name that is classified as a whole.
const MAX_NAME: usize = 64;

impl Names {
    /// The built-in names and further ones.
    pub fn new(custom: &[String]) -> Self {
        let normal = |name: &String| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let custom = custom.iter().map(|name| normal(name).to_ascii_lowercase()).filter(|name| !name.is_empty());
        Self { custom: custom.collect(), cache: Cache::new() }
    }

    /// What a name indicates about its value. Words are separated by `_`, `-`, `.`, spaces and capitals.
    pub fn kind(&self, name: &str) -> Kind {
        let name = name.as_bytes();
        if name.len() <= MAX_NAME {
            return Kind::from_flags(self.cache.get(name, || self.classify(name)));
        }
        // In a long name, the secret's name is expected at either end.
        match self.classify(&name[name.len() - MAX_NAME..]) {
            PLAIN => Kind::from_flags(self.classify(&name[..MAX_NAME])),
            flags => Kind::from_flags(flags),
        }
    }

    fn classify(&self, name: &[u8]) -> u8 {
        let mut buffer = [0; MAX_NAME];
        let mut starts = [0; MAX_NAME + 1];
        let words = Words::split(name, &mut buffer, &mut starts);
        let count = words.count();
        let (mut found, mut prose, mut property) = (0, PROSE, 0);
        let mut behind = 0;
        for first in 0..count {
            // `private_key` and `set-cookie` consist of several words.
            for last in first..count.min(first + 4) {
                let text = words.joined(first, last);
                let Some((word, plural)) = secret_words::lookup(text, first == last).or_else(|| self.custom(text))
                else {
                    continue;
                };
                behind = behind.max(last + 1);
                let ends = last + 1 == count && !plural && word != Word::Text;
                found |= SECRET
                    | if ends { ENDS } else { 0 }
                    | if ends && first == 0 { EXACT } else { 0 }
                    | if word == Word::Header { HEADER } else { 0 };
                prose &= if word == Word::Prose { PROSE } else { 0 };
            }
        }
        // A word before a secret, as in `rate_limit_password`, says nothing about it; before secrets, as in
        // `max_tokens`, it does.
        let from = if found & ENDS == 0 { 0 } else { behind };
        let is_property = (from..count).any(|word| secret_words::is_property(words.joined(word, word)));
        if is_property || count > 1 && secret_words::is_question(words.joined(0, 0)) {
            property = PROPERTY;
        }
        if found != 0 {
            return found | prose | property;
        }
        if count > 0 && is_sql(words.joined(count - 1, count - 1)) { SQL } else { PLAIN }
    }

    fn custom(&self, word: &str) -> Option<(Word, bool)> {
        self.custom.iter().any(|name| name == word).then_some((Word::Secret, false))
    }
}

/// The words of a name in lower case, without separators.
struct Words<'a> {
    text: &'a [u8],
    starts: &'a [u8],
}

impl<'a> Words<'a> {
    fn split(name: &[u8], buffer: &'a mut [u8; MAX_NAME], starts: &'a mut [u8; MAX_NAME + 1]) -> Self {
        let (mut length, mut count) = (0, 0);
        let mut before = b'_';
        for (index, &byte) in name.iter().take(MAX_NAME).enumerate() {
            if byte.is_ascii_alphanumeric() {
                let next_is_lower = name.get(index + 1).is_some_and(u8::is_ascii_lowercase);
                let is_boundary = byte.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_lower);
                if !before.is_ascii_alphanumeric() || is_boundary {
                    // At most MAX_NAME, which fits into a byte.
                    starts[count] = u8::try_from(length).unwrap_or(u8::MAX);
                    count += 1;
                }
                buffer[length] = byte.to_ascii_lowercase();
                length += 1;
            }
            before = byte;
        }
        starts[count] = u8::try_from(length).unwrap_or(u8::MAX);
        Self { text: &buffer[..length], starts: &starts[..=count] }
    }

    const fn count(&self) -> usize {
        self.starts.len() - 1
    }

    /// The words `first` to `last`, joined.
    fn joined(&self, first: usize, last: usize) -> &str {
        let text = &self.text[usize::from(self.starts[first])..usize::from(self.starts[last + 1])];
        // Only letters and digits of ASCII are in it.
        std::str::from_utf8(text).unwrap_or_default()
    }
}

fn is_sql(word: &str) -> bool {
    matches!(word, "sql" | "query" | "statement")
}

/// Whether the value of a property is one: a number, a duration, a date, or a word without digits. `password_age=hunter2`
/// is a secret.
fn is_value_of_property(text: &str) -> bool {
    let is_plain = |word: &str| {
        let letters = word.chars().filter(|letter| letter.is_alphabetic()).count();
        letters <= 3 || !word.bytes().any(|byte| byte.is_ascii_digit())
    };
    text.len() <= 32 && text.split_whitespace().all(is_plain)
}
