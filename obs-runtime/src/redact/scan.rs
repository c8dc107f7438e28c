//! The one pass over every text: which kinds of secrets may be in it. It never misses one and is wrong seldom, so that
//! a clean text costs about a nanosecond a byte and no rule has to look at it. An automaton of all that secrets begin with
//! (aho-corasick's, ASCII of either case) takes as long, and would leave the names before `:` and `=` to be looked at.

use crate::redact::names::Names;
use crate::redact::pairs;

/// Kinds of secrets that may be in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found(u16);

impl Found {
    /// `Bearer …`, `Basic …`
    pub const SCHEME: Self = Self(1);
    /// A JSON web token.
    pub const JWT: Self = Self(2);
    /// A private key between its two lines.
    pub const PEM: Self = Self(4);
    /// A key of a provider, known by how it begins.
    pub const KEY: Self = Self(8);
    /// An `@`: an address, or a password in a URL.
    pub const AT: Self = Self(16);
    /// Enough digits for a card's number.
    pub const DIGITS: Self = Self(32);
    /// The name of a secret before `:`, `=` or as a command's option.
    pub const PAIR: Self = Self(64);
    /// A quote, which may begin a literal of SQL.
    pub const QUOTE: Self = Self(128);
    /// A URL's signature.
    pub const SIGNED: Self = Self(256);

    /// Whether nothing may be there.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether that kind may be there.
    pub const fn has(self, kind: Self) -> bool {
        self.0 & kind.0 != 0
    }

    const fn add_if(&mut self, kind: Self, holds: bool) {
        if holds {
            self.0 |= kind.0;
        }
    }
}

/// Fewest digits of a card's number.
const CARD: u32 = 13;

/// What a byte may be part of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Nothing that is looked for.
    Plain,
    /// A card's number.
    Digit,
    /// Anything else; looked at with what is around it.
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

/// What may be in a text.
pub fn scan(text: &str, names: &Names) -> Found {
    let bytes = text.as_bytes();
    let mut found = Found::default();
    // Digits so far, with at most spaces and dashes between.
    let mut digits = 0_u32;
    for (index, &byte) in bytes.iter().enumerate() {
        match CLASSES[usize::from(byte)] {
            Class::Plain => digits = 0,
            Class::Digit => {
                digits += 1;
                found.add_if(Found::DIGITS, digits >= CARD);
            }
            Class::Pivot => {
                look_around(text, index, names, &mut found);
                if !matches!(byte, b' ' | b'-') {
                    digits = 0;
                }
            }
        }
    }
    found
}

/// What a byte with those around it may be part of. Patterns of slices, as they cost a comparison or two.
fn look_around(text: &str, index: usize, names: &Names, found: &mut Found) {
    let (before, after) = (&text.as_bytes()[..index], &text.as_bytes()[index + 1..]);
    match text.as_bytes()[index] {
        // beareR, basiC
        b' ' | b'\t' | b'\n' | b'\r' => {
            found.add_if(
                Found::SCHEME,
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
            found.add_if(Found::KEY, key);
            if let [.., b'-'] = before {
                found.add_if(Found::PEM, matches!(after, [b'B', b'E', b'G', b'I', b'N', ..]));
                found.add_if(Found::PAIR, pairs::option(text, index + 1, names).is_some());
            }
        }
        b'@' => found.add_if(Found::AT, true),
        b'%' => found.add_if(Found::AT, matches!(after, [b'4', b'0', ..])),
        b':' => found.add_if(Found::PAIR, pairs::name_before(text, index, names).is_some()),
        b'=' => {
            // sig=, signature=
            let signed = matches!(before, [.., b'i' | b'I', b'g' | b'G'] | [.., b'r' | b'R', b'e' | b'E']);
            found.add_if(Found::SIGNED, signed);
            found.add_if(Found::PAIR, pairs::name_before(text, index, names).is_some());
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
            found.add_if(Found::KEY, key);
        }
        b'.' => {
            // ya29., SG., hooks.slack, hvs.
            let key =
                matches!(before, [.., b'2', b'9'] | [.., b'S', b'G'] | [.., b'o', b'k', b's'] | [.., b'h', b'v', _]);
            found.add_if(Found::KEY, key);
        }
        // eyJ
        b'J' => found.add_if(Found::JWT, matches!(before, [.., b'e', b'y'])),
        // AIza
        b'z' => found.add_if(Found::KEY, matches!(before, [.., b'A', b'I'])),
        // AKIA, ASIA
        b'K' | b'S' => found.add_if(Found::KEY, matches!((before, after), ([.., b'A'], [b'I', b'A', ..]))),
        b'\'' | b'"' => {
            found.add_if(Found::QUOTE, true);
            found.add_if(Found::PAIR, pairs::said(text, index, names).is_some());
        }
        b'`' => found.add_if(Found::PAIR, pairs::said(text, index, names).is_some()),
        _ => {}
    }
}
