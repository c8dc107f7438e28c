//! Names that say that their value is a secret.

use crate::redact::cache::Cache;

/// What a name says about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Nothing.
    Plain,
    /// It is a secret.
    Secret(SecretName),
    /// It is a statement of SQL.
    Sql,
}

impl Kind {
    /// The same as a byte, for a [`Cache`]: never 0, and without its bit of 64.
    pub const fn flags(self) -> u8 {
        match self {
            Self::Plain => PLAIN,
            Self::Sql => SQL,
            Self::Secret(SecretName(flags)) => flags,
        }
    }

    /// What those flags say.
    pub const fn of(flags: u8) -> Self {
        match flags {
            PLAIN => Self::Plain,
            SQL => Self::Sql,
            _ => Self::Secret(SecretName(flags)),
        }
    }
}

/// What is known of a name that has a secret's name in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SecretName(u8);

/// Nothing but the secret's name: `password`, `api_key`.
const EXACT: u8 = 1;
/// Ends in the secret's name, in the singular: `customer_ssn`, but neither `ssn_index` nor `input_tokens`.
const ENDS: u8 = 2;
/// Something about the secret was measured or told: `token_count`, `has_password`.
const ABOUT: u8 = 4;
/// A word of plain prose, too: `token`, `session`, `email`.
const PROSE: u8 = 8;
/// The rest of the line belongs to it: `cookie: a=b; c=d`.
const HEADER: u8 = 16;
/// Set with every secret, so that it is never 0.
const SECRET: u8 = 128;
const PLAIN: u8 = 1;
const SQL: u8 = 2;

impl SecretName {
    const fn has(self, flag: u8) -> bool {
        self.0 & flag != 0
    }

    /// Whether a text of that name is hidden.
    pub fn hides_text(self, text: &str) -> bool {
        !text.is_empty()
            && (self.is_exact()
                || !self.has(ABOUT) && (self.has(ENDS) || !text.bytes().all(|byte| byte.is_ascii_digit())))
    }

    /// Whether a number of that name is hidden.
    pub const fn hides_numbers(self) -> bool {
        self.is_exact() || self.has(ENDS) && !self.has(ABOUT)
    }

    /// Whether it is a secret's name and nothing else.
    pub const fn is_exact(self) -> bool {
        self.has(EXACT)
    }

    /// Whether it is a word of plain prose, after which a colon need not lead to a secret.
    pub const fn is_prose(self) -> bool {
        self.has(PROSE)
    }

    /// Whether the rest of the line belongs to it.
    pub const fn is_header(self) -> bool {
        self.has(HEADER)
    }
}

/// Names of secrets: obs' own and those the user adds.
#[derive(Debug)]
pub struct Names {
    /// Lower case, without what parts words.
    more: Vec<String>,
    seen: Cache,
}

/// Longest name that is looked at in one piece.
const LONGEST: usize = 64;

impl Names {
    /// obs' own names and these.
    pub fn new(more: &[String]) -> Self {
        let normal = |name: &String| name.chars().filter(char::is_ascii_alphanumeric).collect::<String>();
        let more = more.iter().map(|name| normal(name).to_ascii_lowercase()).filter(|name| !name.is_empty());
        Self { more: more.collect(), seen: Cache::new() }
    }

    /// What a name says about its value. Words are told apart by `_`, `-`, `.`, spaces and capitals.
    pub fn kind(&self, name: &str) -> Kind {
        let name = name.as_bytes();
        if name.len() <= LONGEST {
            return Kind::of(self.seen.get(name, || self.look_at(name)));
        }
        // A secret's name stands at the end of a long name, or at its beginning.
        match self.look_at(&name[name.len() - LONGEST..]) {
            PLAIN => Kind::of(self.look_at(&name[..LONGEST])),
            flags => Kind::of(flags),
        }
    }

    fn look_at(&self, name: &[u8]) -> u8 {
        let mut buffer = [0; LONGEST];
        let mut starts = [0; LONGEST + 1];
        let words = Words::split(name, &mut buffer, &mut starts);
        let count = words.count();
        let (mut found, mut prose, mut about) = (0, PROSE, 0);
        for first in 0..count {
            // `private_key` and `set-cookie` are names of several words.
            let mut of_secret = false;
            for last in first..count.min(first + 4) {
                let text = words.joined(first, last);
                let Some(word) = secret(text, first == last).or_else(|| self.more(text)) else { continue };
                of_secret = true;
                let ends = last + 1 == count && !word.plural;
                found |= SECRET
                    | if ends { ENDS } else { 0 }
                    | if ends && first == 0 { EXACT } else { 0 }
                    | if word.header { HEADER } else { 0 };
                prose &= if word.prose { PROSE } else { 0 };
            }
            if !of_secret && is_about(words.joined(first, first)) {
                about = ABOUT;
            }
        }
        if found != 0 {
            return found | prose | about;
        }
        if count > 0 && is_sql(words.joined(count - 1, count - 1)) { SQL } else { PLAIN }
    }

    fn more(&self, word: &[u8]) -> Option<Word> {
        let known = self.more.iter().any(|name| name.as_bytes() == word);
        known.then_some(Word { plural: false, prose: false, header: false })
    }
}

/// The words of a name in lower case, without what parts them.
struct Words<'a> {
    text: &'a [u8],
    starts: &'a [u8],
}

impl<'a> Words<'a> {
    fn split(name: &[u8], buffer: &'a mut [u8; LONGEST], starts: &'a mut [u8; LONGEST + 1]) -> Self {
        let (mut length, mut count) = (0, 0);
        let mut before = b'_';
        for (index, &byte) in name.iter().take(LONGEST).enumerate() {
            if byte.is_ascii_alphanumeric() {
                let next_is_lower = name.get(index + 1).is_some_and(u8::is_ascii_lowercase);
                let hump = byte.is_ascii_uppercase() && (!before.is_ascii_uppercase() || next_is_lower);
                if !before.is_ascii_alphanumeric() || hump {
                    // No name has more bytes than fit into one.
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

    /// The words from one through another, as one.
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

/// What is known of a secret's name; `single` unless it was written as several words.
fn secret(word: &[u8], single: bool) -> Option<Word> {
    let singular = |word: &[u8]| {
        let (prose, header) = match word {
            b"password" | b"passwd" | b"pwd" | b"passphrase" | b"apikey" | b"privatekey" | b"accesskey"
            | b"accountkey" | b"secretkey" | b"dsn" | b"ssn" => (false, false),
            b"authorization" | b"cookie" | b"setcookie" => (false, true),
            b"secret" | b"token" | b"credential" | b"session" | b"sessionid" | b"email" | b"phone" | b"telephone" => {
                (true, false)
            }
            // Words that people write as one: `dbpassword`, `authtoken`.
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

/// Whether a word says that something about a secret was measured or told, not the secret itself.
fn is_about(word: &[u8]) -> bool {
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
