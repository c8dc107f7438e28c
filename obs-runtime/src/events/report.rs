//! An error, a panic or a message with all that is known of it, as it goes to who tracks errors.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::base::clock::Stamp;
use crate::base::stack::stack_trace::Stack;
use crate::events::field::{Field, Text};
use crate::metrics::callsite::Tags;

/// The id of an event of an error tracker: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct EventId(uuid::Uuid);

impl EventId {
    /// An id that nothing else has: of a number and the clock, by a key that nobody knows. Whoever fails does not wait for
    /// the system's randomness.
    pub(crate) fn fresh() -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        // And of the time, as a process that was forked has the same key and numbers.
        let named = (NUMBER.fetch_add(1, Ordering::Relaxed), Stamp::now());
        let [high, low] = KEYS.each_ref().map(|key| key.hash_one(named));
        let random = u128::from(high) << 64 | u128::from(low);
        Self(uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid())
    }

    #[cfg(feature = "sentry")]
    pub(crate) const fn uuid(self) -> uuid::Uuid {
        self.0
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_simple().fmt(formatter)
    }
}

/// What is reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportKind {
    /// An error that a function returned, or that was captured by hand.
    Error,
    /// A panic.
    Panic,
    /// A message that was captured by hand.
    Message,
}

/// An error, a panic or a message, once, with what every function says of it that it passed.
#[derive(Clone, Debug)]
pub struct Report<'a> {
    /// Its id.
    pub id: EventId,
    /// What it is.
    pub kind: ReportKind,
    /// The operation that failed first.
    pub operation: Text<'a>,
    /// Stable kind of the error, of low cardinality.
    pub error_type: Text<'a>,
    /// The error and its sources, outermost first; the message alone.
    pub causes: Vec<Cause<'a>>,
    /// What each annotated function that it passed says of it, innermost first.
    pub layers: Vec<Layer<'a>>,
    /// How many like it were left out before it, as they came too fast.
    pub left_out: u64,
    /// Where a panic happened: `file:line`.
    pub place: Option<Text<'a>>,
    /// The calls that led to it.
    pub stack: Option<Stack>,
}

/// An error in a chain of sources.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cause<'a> {
    /// The name of its type, without path and parameters.
    pub type_name: Text<'a>,
    /// Its own words.
    pub message: Text<'a>,
}

/// What one annotated function says of an error that passed it.
#[derive(Clone, Debug)]
pub struct Layer<'a> {
    /// The operation's or command's name.
    pub name: Text<'a>,
    /// The attribute, or its equivalent by hand.
    pub attribute: &'static str,
    /// Arguments as recorded, tags, context.
    pub fields: Vec<Field<'a>>,
    /// The tags among them, which stand on the event for people to search by.
    pub tags: Tags,
}

/// A step on the way to an error.
#[derive(Clone, Debug)]
pub struct Crumb<'a> {
    /// What kind of step: `http`, `query`, …
    pub category: Text<'a>,
    /// What happened.
    pub message: Text<'a>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_ids_are_one() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..10_000).map(|_| EventId::fresh()).collect::<Vec<_>>())).collect();
        let ids: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
        let known: std::collections::HashSet<_> = ids.iter().copied().collect();
        assert_eq!(known.len(), 40_000);
        assert!(ids.iter().all(|id| id.to_string().len() == 32));
    }
}
