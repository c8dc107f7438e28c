//! An error as it was seen at one point of its way, to be known again further on.
//!
//! Errors are values: they are moved, boxed, wrapped and converted on their way, and nothing can be hung onto them. What
//! lies on the heap keeps its place while it is moved; the rest is known by its words, where the calls that it passes make
//! it likely that it is the same one.

use std::error::Error;

use crate::events::event::FailureFacts;
use crate::events::failure::{Failure, What};
use crate::events::field::Text;
use crate::events::report::Cause;

/// Shortest words by which an error is known within the words of another one, in bytes.
const TELLING: usize = 8;

/// An error as it was seen.
#[derive(Clone, Debug)]
pub struct Sighting {
    /// Stable kind of the error, of low cardinality.
    pub error_type: Text<'static>,
    /// The error and its sources, outermost first.
    pub causes: Vec<Cause<'static>>,
    type_name: &'static str,
    /// Where each of them lies; 0 where that says nothing.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    address: usize,
    /// Whether it stays there while the error is moved.
    stays: bool,
}

impl Failure<'_> {
    /// The error as it is now.
    #[must_use]
    pub fn sighting(&self) -> Sighting {
        let causes = self.causes();
        let mut places: Vec<Place> = self.places().take(causes.len()).collect();
        places.resize(causes.len(), Place { address: 0, stays: false });
        Sighting { error_type: self.error_type(), causes, type_name: self.type_name, places }
    }

    fn places(&self) -> impl Iterator<Item = Place> {
        let first = match self.what {
            What::Error(error) | What::Erased(error) => Some(extent(error)),
            What::Borrowed(borrowed) => Some(borrowed.place),
            _ => None,
        };
        let boxed = matches!(self.what, What::Erased(_)) || self.hides_its_type();
        let inside = move |address: usize| {
            first.is_some_and(|(start, size)| (start..start.saturating_add(size)).contains(&address))
        };
        let place = move |(index, (address, size)): (usize, (usize, usize))| Place {
            // What has no size has no place of its own.
            address: if size == 0 { 0 } else { address },
            // A source that is part of the error itself moves with it.
            stays: size > 0 && if index == 0 { boxed } else { boxed || !inside(address) },
        };
        let sources = self.chain().skip(1).map(extent);
        first.into_iter().chain(sources).enumerate().map(place)
    }
}

fn extent(error: &(dyn Error + 'static)) -> (usize, usize) {
    (std::ptr::from_ref(error).cast::<()>().addr(), size_of_val(error))
}

impl Sighting {
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

    /// Whether something of this error lies where something of the other one does, and says the same.
    #[must_use]
    pub fn shares_a_place(&self, later: &Self) -> bool {
        let parts = |sighting: &Self| {
            sighting.places.iter().copied().zip(sighting.causes.clone()).collect::<Vec<(Place, Cause<'static>)>>()
        };
        let later = parts(later);
        let same = |(place, cause): &(Place, Cause<'_>)| {
            place.stays
                && later.iter().any(|(other, said)| other.address == place.address && said.message == cause.message)
        };
        parts(self).iter().any(same)
    }

    /// Whether the other error says what this one does: it is this one, or was made of it.
    #[must_use]
    pub fn shares_words(&self, later: &Self) -> bool {
        let (Some(first), Some(outermost)) = (self.causes.first(), later.causes.first()) else { return false };
        let stays = |sighting: &Self| sighting.places.first().is_some_and(|place| place.stays);
        if first.message == outermost.message && self.type_name == later.type_name && stays(self) && stays(later) {
            // Boxes that lie in different places are different ones.
            return false;
        }
        first.message.is_empty() && self.type_name == later.type_name
            || later.causes.iter().any(|cause| cause.message == first.message)
            || contains(&outermost.message, &first.message)
    }
}

/// Whether a text contains these words, as words.
fn contains(text: &str, words: &str) -> bool {
    let at_edge = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    let stands_alone =
        |at: usize| at_edge(text[..at].chars().next_back()) && at_edge(text[at + words.len()..].chars().next());
    !words.is_empty()
        && (words.len() >= TELLING || text.ends_with(words))
        && text.match_indices(words).any(|(at, _)| stands_alone(at))
}

#[cfg(test)]
mod tests {
    use super::*;

    type Boxed = Box<dyn Error + Send + Sync>;

    fn boxed(error: &Boxed) -> Sighting {
        Failure::erased::<Boxed>(&**error).sighting()
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
    fn a_box_is_known_by_its_place_wherever_it_is_moved() {
        let error: Boxed = "same words".into();
        let before = boxed(&error);
        let moved = Box::new(error);
        assert!(before.shares_a_place(&boxed(&moved)));
        let other: Boxed = "same words".into();
        assert!(!before.shares_a_place(&boxed(&other)) && !before.shares_words(&boxed(&other)));
    }

    #[test]
    fn a_value_is_known_by_its_words_alone() {
        let error = bad();
        let before = Failure::error(&error).sighting();
        let moved = Box::new(error);
        let after = Failure::error(&*moved).sighting();
        assert!(before.shares_words(&after));
        // Its source is a part of it, and moves too.
        assert!(before.places.iter().all(|place| !place.stays));
    }

    #[test]
    fn what_was_made_of_an_error_is_known_by_its_sources_or_its_words() {
        let before = Failure::error(&"x".parse::<u32>().unwrap_err()).sighting();
        assert!(before.shares_words(&Failure::error(&bad()).sighting()));
        let text = format!("cannot load: {}", "x".parse::<u32>().unwrap_err());
        assert!(before.shares_words(&Failure::display(&text).sighting()));
        assert!(!before.shares_words(&Failure::display(&"something else").sighting()));
    }

    #[test]
    fn short_words_are_no_sign_within_others() {
        assert!(!contains("cannot go on", "no") && !contains("no way", "no"));
        assert!(contains("it failed: no", "no") && contains("no answer in 3 s, giving up", "no answer in 3 s"));
        assert!(!contains("anything", ""));
    }

    #[test]
    fn an_error_behind_a_reference_is_the_same_one() {
        let error: Boxed = Box::new(bad());
        let borrowed: &(dyn Error + Send + Sync) = &*error;
        let sighting = Failure::borrowed(&borrowed).sighting();
        assert!(sighting.shares_a_place(&boxed(&error)));
        let messages: Vec<_> = sighting.causes.iter().map(|cause| &*cause.message).collect();
        assert_eq!(messages, ["row 3 is bad", "invalid digit found in string"]);
        assert_eq!(sighting.error_type, "ParseIntError");
        let type_names: Vec<_> = sighting.causes.iter().map(|cause| &*cause.type_name).collect();
        assert_eq!(type_names, ["Bad", "ParseIntError"]);
    }
}
