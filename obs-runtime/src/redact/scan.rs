//! The scan of every text: which kinds of secrets it may contain. It has no false negatives and few false positives, so that
//! most texts cost about a nanosecond per byte and no regular expression is run.

use crate::redact::keywords;
use crate::redact::names::Names;
use crate::redact::pair_names;
use crate::redact::rules::structural;

/// Kinds of secrets that a text may contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidates {
    kinds: u8,
    /// One bit for each rule.
    rules: u64,
}

impl Candidates {
    /// An `@`: an e-mail address, or a password in a URL.
    pub const AT: u8 = 1;
    /// Enough digits for a card number.
    pub const DIGITS: u8 = 2;
    /// The name of a secret before its value.
    pub const PAIR: u8 = 4;
    /// A quote, which may start an SQL literal.
    pub const QUOTE: u8 = 8;

    /// Whether there are no candidates.
    pub const fn is_empty(self) -> bool {
        self.kinds == 0 && self.rules == 0
    }

    /// Whether a kind is among the candidates.
    pub const fn has(self, kind: u8) -> bool {
        self.kinds & kind != 0
    }

    /// Whether a rule, given by its number, is among the candidates.
    pub const fn has_rule(self, rule: usize) -> bool {
        self.rules >> rule & 1 == 1
    }

    const fn add_if(&mut self, kind: u8, holds: bool) {
        if holds {
            self.kinds |= kind;
        }
    }

    const fn add_rule_if(&mut self, rule: usize, holds: bool) {
        if holds {
            self.rules |= 1 << rule;
        }
    }

    const fn add_at(&mut self) {
        self.kinds |= Self::AT;
        self.rules |= 1 << structural::ADDRESS | 1 << structural::DSN;
    }
}

/// Minimum number of digits of a card number.
const MIN_CARD_DIGITS: u32 = 13;

/// Minimum length of a word that may be a secret without any separator, in bytes.
const MIN_LONG_WORD: usize = 32;

/// Length of a storage key of Azure, without the padding. The only long word with other bytes than letters and digits.
const STORAGE_KEY: usize = 86;

/// What a byte can be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// No secret.
    Plain,
    /// A card number.
    Digit,
    /// A letter at which keywords are compared.
    Letter,
    /// Another secret, depending on the bytes around it. Words end here.
    Pivot,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut index = 0;
    let pivots = b" \t\n\r-@%:=_.~'\"`<\\{$";
    while index < pivots.len() {
        classes[pivots[index] as usize] = Class::Pivot;
        index += 1;
    }
    index = 0;
    let letters = b"JzKST";
    while index < letters.len() {
        classes[letters[index] as usize] = Class::Letter;
        index += 1;
    }
    let mut digit = b'0';
    while digit <= b'9' {
        classes[digit as usize] = Class::Digit;
        digit += 1;
    }
    classes
};

/// The kinds of secrets that a text may contain.
pub fn scan(text: &str, names: &Names) -> Candidates {
    let bytes = text.as_bytes();
    let mut found = Candidates::default();
    // Number of preceding digits with nothing but spaces and dashes between them.
    let mut digits = 0_u32;
    // Where the current word begins.
    let mut word = 0;
    for (index, &byte) in bytes.iter().enumerate() {
        let class = CLASSES[usize::from(byte)];
        // Most bytes: a comparison costs less than the jump of a `match`.
        if class == Class::Plain {
            digits = 0;
            continue;
        }
        match class {
            Class::Plain => {}
            Class::Digit => {
                digits += 1;
                found.add_if(Candidates::DIGITS, digits >= MIN_CARD_DIGITS);
            }
            Class::Letter => {
                digits = 0;
                found.rules |= keywords::rules_at(bytes, index);
            }
            Class::Pivot => {
                found.add_rule_if(structural::LONG_WORD, is_long_word(&bytes[word..index]));
                word = index + 1;
                check_pivot(text, index, names, &mut found);
                if !matches!(byte, b' ' | b'-') {
                    digits = 0;
                }
            }
        }
    }
    found.add_rule_if(structural::LONG_WORD, is_long_word(&bytes[word..]));
    found
}

/// Whether a word may be a secret by itself: neither short nor, as paths are, of short parts.
#[inline]
fn is_long_word(word: &[u8]) -> bool {
    word.len() >= MIN_LONG_WORD && has_long_part(word)
}

#[cold]
fn has_long_part(word: &[u8]) -> bool {
    word.len() >= STORAGE_KEY
        || word
            .split(|byte| !byte.is_ascii_alphanumeric())
            .any(|part| part.len() >= MIN_LONG_WORD && part.iter().any(u8::is_ascii_digit))
}

/// Adds the kinds that a pivot and the bytes around it can be part of. Slice patterns cost a comparison or two.
fn check_pivot(text: &str, index: usize, names: &Names, found: &mut Candidates) {
    let bytes = text.as_bytes();
    let (before, after) = (&bytes[..index], &bytes[index + 1..]);
    match bytes[index] {
        // beareR, basiC
        b' ' | b'\t' | b'\n' | b'\r' => {
            found.add_rule_if(structural::BEARER, matches!(before, [.., b'e' | b'E', b'r' | b'R']));
            found.add_rule_if(structural::BASIC, matches!(before, [.., b'i' | b'I', b'c' | b'C']));
        }
        b'-' => {
            found.rules |= keywords::rules_at(bytes, index);
            let is_code = |part: Option<&[u8]>| {
                part.is_some_and(|part| part.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit()))
            };
            let code = is_code(after.get(..4)) && is_code(index.checked_sub(4).map(|start| &bytes[start..index]));
            found.add_rule_if(structural::DEVICE_CODE, code);
            if let [.., b'-'] = before {
                found.add_if(Candidates::PAIR, pair_names::option(text, index + 1, names).is_some());
            }
        }
        b'_' | b'~' => found.rules |= keywords::rules_at(bytes, index),
        b'.' => {
            found.rules |= keywords::rules_at(bytes, index);
            if after.get(6) == Some(&b'.') && index >= 22 {
                let is_token = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
                found.add_rule_if(structural::BOT, before[index - 22..].iter().all(is_token));
            }
        }
        b'@' => found.add_at(),
        // %40, and names before %3D and %3A
        b'%' => match after {
            [b'4', b'0', ..] => found.add_at(),
            [b'3', b'a' | b'A' | b'd' | b'D', ..] => {
                found.add_if(Candidates::PAIR, pair_names::name_before_escape(text, index, names).is_some());
            }
            _ => {}
        },
        // \u0040
        b'\\' => {
            if matches!(after, [b'u', b'0', b'0', b'4', b'0', ..]) {
                found.add_at();
            }
        }
        b':' => {
            let is_bot = after.len() >= 35 && index >= 8 && before[index - 8..].iter().all(u8::is_ascii_digit);
            found.add_rule_if(structural::BOT, is_bot);
            found.add_if(Candidates::PAIR, pair_names::name_before(text, index, names).is_some());
        }
        b'=' => {
            // sig=, signature=
            let signed = matches!(before, [.., b'i' | b'I', b'g' | b'G'] | [.., b'r' | b'R', b'e' | b'E']);
            found.add_rule_if(structural::SIGNATURE, signed);
            found.add_if(Candidates::PAIR, pair_names::name_before(text, index, names).is_some());
        }
        b'\'' | b'"' => {
            found.add_if(Candidates::QUOTE, true);
            found.add_if(Candidates::PAIR, pair_names::name_of_quoted(text, index, names).is_some());
        }
        b'`' => found.add_if(Candidates::PAIR, pair_names::name_of_quoted(text, index, names).is_some()),
        // $$literal$$
        b'$' => found.add_if(Candidates::QUOTE, before.ends_with(b"$")),
        b'<' => found.add_if(Candidates::PAIR, pair_names::element(text, index, names).is_some()),
        b'{' => found.add_if(Candidates::PAIR, pair_names::type_before(text, index, names).is_some()),
        _ => {}
    }
}
