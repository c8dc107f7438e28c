//! What identifies an error at different points of its way through the program.
//!
//! Errors are moved, boxed, wrapped and converted, and nothing can be attached to them. What is allocated on the heap keeps
//! its address while its owner is moved. Everything else is compared by message, which only means something where the
//! program makes it likely that both are one error; see `instrument::error_dedup`.

use crate::events::failure::{Failure, Seen, What, place};
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Text;
use crate::events::report::Cause;

/// An error as it was seen at one point.
#[derive(Clone, Debug)]
pub struct ErrorFingerprint {
    /// Stable kind of the error, of low cardinality.
    pub error_type: Text<'static>,
    /// The error and its sources, outermost first.
    pub causes: Vec<Cause<'static>>,
    type_name: &'static str,
    /// Of each cause.
    addresses: Vec<Address>,
}

/// What two fingerprints have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Match {
    /// Heap memory with the same content: they are of one error.
    Address,
    /// A message: they are of one error or of two similar ones.
    Message,
}

#[derive(Clone, Copy, Debug, Default)]
struct Address {
    /// 0 for a value without a size, which has no address of its own.
    address: usize,
    /// Whether it stays the same while the error is moved.
    is_stable: bool,
}

impl Failure<'_> {
    /// The error as it is now.
    #[must_use]
    pub fn fingerprint(&self) -> ErrorFingerprint {
        let causes = self.causes();
        let mut addresses: Vec<Address> = self.addresses().take(causes.len()).collect();
        addresses.resize(causes.len(), Address::default());
        ErrorFingerprint { error_type: self.error_type(), causes, type_name: self.type_name, addresses }
    }

    fn addresses(&self) -> impl Iterator<Item = Address> {
        let seen = if let What::Error(seen) = self.what { Some(seen) } else { None };
        let is_part_of_first = move |address: usize| {
            seen.is_some_and(|Seen { place: (start, size), .. }| (start..start.saturating_add(size)).contains(&address))
        };
        let first = seen.map(|seen| (seen.place, seen.is_boxed));
        // A source inside of the error itself moves with it.
        let sources = self.chain().skip(1).map(place).map(move |place| (place, !is_part_of_first(place.0)));
        first.into_iter().chain(sources).map(|((address, size), is_stable)| Address {
            address: if size == 0 { 0 } else { address },
            is_stable: is_stable && size > 0,
        })
    }
}

impl ErrorFingerprint {
    /// What can be said of the error.
    #[must_use]
    pub fn facts(&self) -> FailureFacts<'static> {
        let mut messages = self.causes.iter().map(|cause| cause.message.clone());
        FailureFacts {
            error_type: self.error_type.clone(),
            message: messages.next().unwrap_or_default(),
            sources: messages.collect(),
        }
    }

    /// What an error that is seen later has in common with this one.
    #[must_use]
    pub fn matches(&self, later: &Self) -> Option<Match> {
        if self.same_address(later) { Some(Match::Address) } else { self.same_message(later).then_some(Match::Message) }
    }

    fn parts(&self) -> impl Iterator<Item = (Address, &str)> {
        self.addresses.iter().copied().zip(self.causes.iter().map(|cause| &*cause.message))
    }

    /// Whether a cause of both is at the same stable address and has the same message.
    fn same_address(&self, later: &Self) -> bool {
        let is_in_later = |(place, message): (Address, &str)| {
            place.is_stable && later.parts().any(|(other, said)| (other.address, said) == (place.address, message))
        };
        self.parts().any(is_in_later)
    }

    /// Whether the later error has this one's message, or was made of it.
    fn same_message(&self, later: &Self) -> bool {
        let (Some(first), Some(outermost)) = (self.causes.first(), later.causes.first()) else { return false };
        let is_stable = |error: &Self| error.addresses.first().is_some_and(|place| place.is_stable);
        if first.message == outermost.message
            && self.type_name == later.type_name
            && is_stable(self)
            && is_stable(later)
        {
            // Two boxes at different addresses.
            return false;
        }
        first.message.is_empty() && self.type_name == later.type_name
            || later.causes.iter().any(|cause| cause.message == first.message)
            || self.is_end_of(&outermost.message)
    }

    /// Whether a text was made of this error as people make it: `what failed: the message`, or with its sources, too. A text that
    /// only has the same words in it says something else.
    fn is_end_of(&self, text: &str) -> bool {
        let mut end = String::new();
        self.causes.iter().filter(|cause| !cause.message.is_empty()).any(|cause| {
            end.push_str(": ");
            end.push_str(&cause.message);
            text.ends_with(&*end)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use super::*;

    type Boxed = Box<dyn Error + Send + Sync>;

    fn boxed(error: &Boxed) -> ErrorFingerprint {
        Failure::boxed::<Boxed>(&**error).fingerprint()
    }

    #[derive(Debug, thiserror::Error)]
    #[error("row {row} is bad")]
    struct Bad {
        row: u32,
        #[source]
        source: std::num::ParseIntError,
    }

    fn bad() -> Bad {
        Bad { row: 3, source: "x".parse::<u32>().unwrap_err() }
    }

    #[test]
    fn a_box_matches_by_address_after_it_is_moved() {
        let error: Boxed = "same words".into();
        let before = boxed(&error);
        let moved = Box::new(error);
        assert_eq!(before.matches(&boxed(&moved)), Some(Match::Address));
        let other: Boxed = "same words".into();
        assert_eq!(before.matches(&boxed(&other)), None);
    }

    #[test]
    fn a_value_matches_by_message() {
        let error = bad();
        let before = Failure::error(&error).fingerprint();
        let moved = Box::new(error);
        let after = Failure::error(&*moved).fingerprint();
        assert_eq!(before.matches(&after), Some(Match::Message));
        // Its source is a part of it, and moves too.
        assert!(before.addresses.iter().all(|place| !place.is_stable));
    }

    #[test]
    fn a_converted_error_matches_by_its_sources_or_its_message() {
        let before = Failure::error(&"x".parse::<u32>().unwrap_err()).fingerprint();
        let message = Some(Match::Message);
        assert_eq!(before.matches(&Failure::error(&bad()).fingerprint()), message);
        let text = format!("cannot load: {}", "x".parse::<u32>().unwrap_err());
        assert_eq!(before.matches(&Failure::display(&text).fingerprint()), message);
        assert_eq!(before.matches(&Failure::display(&"something else").fingerprint()), None);
    }

    #[test]
    fn words_inside_of_a_message_are_no_match() {
        let matches = |before: &str, after: &str| {
            Failure::display(&before)
                .fingerprint()
                .matches(&Failure::display(&after.to_owned()).fingerprint())
                .is_some()
        };
        assert!(matches("not found", "invoice 17: not found") && matches("no", "it failed: no"));
        for (before, after) in [
            ("not found", "invoice 17: customer not found in billing"),
            ("not found", "invoice 17: customer not found"),
            ("no answer in 3 s", "no answer in 3 s, giving up"),
            ("no", "cannot go on"),
            ("", "it failed: "),
        ] {
            assert!(!matches(before, after), "{before:?} in {after:?}");
        }
        // With the sources of the error.
        let bad = Failure::error(&bad()).fingerprint();
        let text = "loading: row 3 is bad: invalid digit found in string".to_owned();
        assert_eq!(bad.matches(&Failure::display(&text).fingerprint()), Some(Match::Message));
    }

    #[test]
    fn an_error_behind_a_reference_matches_by_address() {
        let error: Boxed = Box::new(bad());
        let borrowed: &(dyn Error + Send + Sync) = &*error;
        let fingerprint = Failure::borrowed(&borrowed).fingerprint();
        assert_eq!(fingerprint.matches(&boxed(&error)), Some(Match::Address));
        let messages: Vec<_> = fingerprint.causes.iter().map(|cause| &*cause.message).collect();
        assert_eq!(messages, ["row 3 is bad", "invalid digit found in string"]);
        assert_eq!(fingerprint.error_type, "ParseIntError");
        let type_names: Vec<_> = fingerprint.causes.iter().map(|cause| &*cause.type_name).collect();
        assert_eq!(type_names, ["Bad", "ParseIntError"]);
    }
}
