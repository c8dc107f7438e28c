//! Field names that indicate a secret value.

use crate::redact::cache::Cache;

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
        !text.is_empty()
            && (self.is_exact()
                || !self.has(PROPERTY) && (self.has(ENDS) || !text.bytes().all(|byte| byte.is_ascii_digit())))
    }

    /// Whether a number with this name is hidden.
    pub const fn hides_numbers(self) -> bool {
        self.is_exact() || self.has(ENDS) && !self.has(PROPERTY)
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
        for first in 0..count {
            // `private_key` and `set-cookie` consist of several words.
            let mut of_secret = false;
            for last in first..count.min(first + 4) {
                let text = words.joined(first, last);
                let Some(word) = secret(text, first == last).or_else(|| self.custom(text)) else { continue };
                of_secret = true;
                let ends = last + 1 == count && !word.plural;
                found |= SECRET
                    | if ends { ENDS } else { 0 }
                    | if ends && first == 0 { EXACT } else { 0 }
                    | if word.header { HEADER } else { 0 };
                prose &= if word.prose { PROSE } else { 0 };
            }
            if !of_secret && is_property(words.joined(first, first)) {
                property = PROPERTY;
            }
        }
        if found != 0 {
            return found | prose | property;
        }
        if count > 0 && is_sql(words.joined(count - 1, count - 1)) { SQL } else { PLAIN }
    }

    fn custom(&self, word: &[u8]) -> Option<Word> {
        let known = self.custom.iter().any(|name| name.as_bytes() == word);
        known.then_some(Word { plural: false, prose: false, header: false })
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
    fn joined(&self, first: usize, last: usize) -> &[u8] {
        &self.text[usize::from(self.starts[first])..usize::from(self.starts[last + 1])]
    }
}

#[derive(Clone, Copy)]
struct Word {
    plural: bool,
    prose: bool,
    header: bool,
}

/// Looks up a built-in secret's name. `single` is true if it was written as one word.
fn secret(word: &[u8], single: bool) -> Option<Word> {
    let singular = |word: &[u8]| {
        let (prose, header) = match word {
            b"password" | b"passwd" | b"pwd" | b"passphrase" | b"apikey" | b"privatekey" | b"accesskey"
            | b"accountkey" | b"secretkey" | b"dsn" | b"ssn" => (false, false),
            b"authorization" | b"cookie" | b"setcookie" => (false, true),
            b"secret" | b"token" | b"credential" | b"session" | b"sessionid" | b"email" | b"phone" | b"telephone" => {
                (true, false)
            }
            // Compounds that are often written as one word: `dbpassword`, `authtoken`.
            _ if single
                && [&b"password"[..], b"passwd", b"passphrase", b"apikey", b"privatekey", b"token"]
                    .iter()
                    .any(|end| word.ends_with(end)) =>
            {
                (false, false)
            }
            _ => return None,
        };
        Some(Word { plural: false, prose, header })
    };
    if word.len() < 3 {
        return None;
    }
    singular(word).or_else(|| Some(Word { plural: true, ..singular(word.strip_suffix(b"s")?)? }))
}

/// Whether a word names a property of a secret, not the secret itself.
fn is_property(word: &[u8]) -> bool {
    matches!(
        word,
        b"count"
            | b"counts"
            | b"used"
            | b"usage"
            | b"total"
            | b"len"
            | b"length"
            | b"size"
            | b"bytes"
            | b"limit"
            | b"max"
            | b"min"
            | b"avg"
            | b"rate"
            | b"ratio"
            | b"remaining"
            | b"budget"
            | b"duration"
            | b"seconds"
            | b"secs"
            | b"ms"
            | b"age"
            | b"ttl"
            | b"timeout"
            | b"expires"
            | b"expiry"
            | b"has"
            | b"is"
            | b"valid"
            | b"present"
            | b"missing"
            | b"enabled"
            | b"required"
            | b"type"
            | b"kind"
            | b"status"
    )
}

fn is_sql(word: &[u8]) -> bool {
    matches!(word, b"sql" | b"query" | b"statement")
}
