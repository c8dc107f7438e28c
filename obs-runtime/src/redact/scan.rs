//! The scan of every text: which kinds of secrets it may contain. It has no false negatives and few false positives, so that
//! most texts cost about a nanosecond per byte and no rule is run. An aho-corasick automaton of the prefixes of all secrets
//! takes as long, and would not cover names before `:` and `=`.

use crate::redact::names::Names;
use crate::redact::pairs;

/// Kinds of secrets that a text may contain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Candidates(u16);

impl Candidates {
    /// An HTTP scheme: `Bearer …` or `Basic …`.
    pub const SCHEME: Self = Self(1);
    /// A JSON web token.
    pub const JWT: Self = Self(2);
    /// A private key in PEM format.
    pub const PEM: Self = Self(4);
    /// A provider's key with a known prefix.
    pub const KEY: Self = Self(8);
    /// An `@`: an e-mail address, or a password in a URL.
    pub const AT: Self = Self(16);
    /// Enough digits for a card number.
    pub const DIGITS: Self = Self(32);
    /// The name of a secret before `:` or `=`, or as a command-line option.
    pub const PAIR: Self = Self(64);
    /// A quote, which may start an SQL literal.
    pub const QUOTE: Self = Self(128);
    /// The signature of a URL.
    pub const SIGNED: Self = Self(256);

    /// Whether there are no candidates.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether a kind is among the candidates.
    pub const fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    const fn add_if(&mut self, kind: Self, holds: bool) {
        if holds {
            self.0 |= kind.0;
        }
    }
}

/// Minimum number of digits of a card number.
const MIN_CARD_DIGITS: u32 = 13;

/// What a byte can be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// No secret.
    Plain,
    /// A card number.
    Digit,
    /// Another secret, depending on the bytes around it.
    Pivot,
}

const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let pivots = b" \t\n\r-@%:=_.JzKS'\"`";
    let mut index = 0;
    while index < pivots.len() {
        classes[pivots[index] as usize] = Class::Pivot;
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
    for (index, &byte) in bytes.iter().enumerate() {
        match CLASSES[usize::from(byte)] {
            Class::Plain => digits = 0,
            Class::Digit => {
                digits += 1;
                found.add_if(Candidates::DIGITS, digits >= MIN_CARD_DIGITS);
            }
            Class::Pivot => {
                check_pivot(text, index, names, &mut found);
                if !matches!(byte, b' ' | b'-') {
                    digits = 0;
                }
            }
        }
    }
    found
}

/// Adds the kinds that a pivot and the bytes around it can be part of. Slice patterns cost a comparison or two.
fn check_pivot(text: &str, index: usize, names: &Names, found: &mut Candidates) {
    let (before, after) = (&text.as_bytes()[..index], &text.as_bytes()[index + 1..]);
    match text.as_bytes()[index] {
        // beareR, basiC
        b' ' | b'\t' | b'\n' | b'\r' => {
            found.add_if(
                Candidates::SCHEME,
                matches!(before, [.., b'e' | b'E', b'r' | b'R'] | [.., b'i' | b'I', b'c' | b'C']),
            );
        }
        b'-' => {
            // sk-, glpat-, GOCSPX-, xapp-, xoxb-, pypi-, AGE-SECRET-KEY-
            let key = matches!(
                before,
                [.., b's', b'k']
                    | [.., b'p', b'a', b't']
                    | [.., b'P', b'X']
                    | [.., b'a', b'p', b'p']
                    | [.., b'o', b'x', _]
                    | [.., b'p', b'i']
                    | [.., b'E', b'Y']
            );
            found.add_if(Candidates::KEY, key);
            if let [.., b'-'] = before {
                found.add_if(Candidates::PEM, matches!(after, [b'B', b'E', b'G', b'I', b'N', ..]));
                found.add_if(Candidates::PAIR, pairs::option(text, index + 1, names).is_some());
            }
        }
        b'@' => found.add_if(Candidates::AT, true),
        b'%' => found.add_if(Candidates::AT, matches!(after, [b'4', b'0', ..])),
        b':' => found.add_if(Candidates::PAIR, pairs::name_before(text, index, names).is_some()),
        b'=' => {
            // sig=, signature=
            let signed = matches!(before, [.., b'i' | b'I', b'g' | b'G'] | [.., b'r' | b'R', b'e' | b'E']);
            found.add_if(Candidates::SIGNED, signed);
            found.add_if(Candidates::PAIR, pairs::name_before(text, index, names).is_some());
        }
        b'_' => {
            // ghp_, github_pat_, dckr_pat_, sk_live_, sk_test_, npm_, whsec_, hf_, dop_v1_, shpat_
            let key = matches!(
                before,
                [.., b'g', b'h', b'p' | b'o' | b'u' | b's' | b'r']
                    | [.., b'p', b'a', b't']
                    | [.., b'k', b'_', _, _, _, _]
                    | [.., b'n', b'p', b'm']
                    | [.., b's', b'e', b'c']
                    | [.., b'h', b'f']
                    | [.., b'v', b'1']
                    | [.., b's', b'h', b'p', _, _]
            );
            found.add_if(Candidates::KEY, key);
        }
        b'.' => {
            // ya29., SG., hooks.slack, hvs.
            let key =
                matches!(before, [.., b'2', b'9'] | [.., b'S', b'G'] | [.., b'o', b'k', b's'] | [.., b'h', b'v', _]);
            found.add_if(Candidates::KEY, key);
        }
        // eyJ
        b'J' => found.add_if(Candidates::JWT, matches!(before, [.., b'e', b'y'])),
        // AIza
        b'z' => found.add_if(Candidates::KEY, matches!(before, [.., b'A', b'I'])),
        // AKIA, ASIA
        b'K' | b'S' => found.add_if(Candidates::KEY, matches!((before, after), ([.., b'A'], [b'I', b'A', ..]))),
        b'\'' | b'"' => {
            found.add_if(Candidates::QUOTE, true);
            found.add_if(Candidates::PAIR, pairs::stated(text, index, names).is_some());
        }
        b'`' => found.add_if(Candidates::PAIR, pairs::stated(text, index, names).is_some()),
        _ => {}
    }
}
