//! Ids of error events.

use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::str::FromStr;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use uuid::Uuid;

use crate::base::clock::Stamp;

/// The id of an event in an error tracker: 32 lower-case hexadecimal digits.
///
/// ```
/// use obs_runtime::EventId;
///
/// let id: EventId = "fc6d8c0c43fc4630ad850ee518f1b9d0".parse()?;
/// assert_eq!(id.as_ref(), "fc6d8c0c43fc4630ad850ee518f1b9d0");
/// # Ok::<_, obs_runtime::ParseEventIdError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId([u8; 32]);

impl EventId {
    /// A new unique id. It is derived from a counter and the clock under a random key, which avoids a call for random bytes
    /// in a program that is failing.
    pub(crate) fn fresh() -> Self {
        static KEYS: LazyLock<[RandomState; 2]> = LazyLock::new(|| [RandomState::new(), RandomState::new()]);
        static COUNTER: AtomicU64 = AtomicU64::new(0);
        // The clock distinguishes a forked process, which has the same keys and counter.
        let unique = (COUNTER.fetch_add(1, Ordering::Relaxed), Stamp::now());
        let [high, low] = KEYS.each_ref().map(|key| key.hash_one(unique));
        let random = u128::from(high) << 64 | u128::from(low);
        Self::from_uuid(uuid::Builder::from_random_bytes(random.to_be_bytes()).into_uuid())
    }

    pub(crate) fn from_uuid(uuid: Uuid) -> Self {
        let mut digits = [0; 32];
        uuid.as_simple().encode_lower(&mut digits);
        Self(digits)
    }

    #[cfg(feature = "sentry")]
    pub(crate) fn uuid(self) -> Uuid {
        // The digits always form a UUID.
        Uuid::try_parse_ascii(&self.0).unwrap_or_default()
    }
}

impl AsRef<str> for EventId {
    fn as_ref(&self) -> &str {
        // The digits are always ASCII.
        str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.as_ref())
    }
}

impl fmt::Debug for EventId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "EventId({self})")
    }
}

/// A text is not an [`EventId`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an event id consists of 32 hexadecimal digits, with or without the hyphens of a UUID")]
#[non_exhaustive]
pub struct ParseEventIdError {}

impl FromStr for EventId {
    type Err = ParseEventIdError;

    /// Parses 32 hexadecimal digits, with or without the hyphens of a UUID, ignoring case.
    fn from_str(text: &str) -> Result<Self, ParseEventIdError> {
        let has_form = matches!(text.len(), 32 | 36);
        has_form.then(|| Uuid::try_parse(text).ok()).flatten().map(Self::from_uuid).ok_or(ParseEventIdError {})
    }
}

/// Serialises as a string.
impl Serialize for EventId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_ref())
    }
}

impl<'de> Deserialize<'de> for EventId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        std::borrow::Cow::<str>::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique() {
        let threads: Vec<_> =
            (0..4).map(|_| std::thread::spawn(|| (0..10_000).map(|_| EventId::fresh()).collect::<Vec<_>>())).collect();
        let ids: std::collections::HashSet<_> =
            threads.into_iter().flat_map(|thread| thread.join().unwrap()).map(|id| id.to_string()).collect();
        assert_eq!(ids.len(), 40_000);
        assert!(ids.iter().all(|id| id.len() == 32));
    }

    #[test]
    fn an_id_round_trips_through_text_and_serde() {
        let id = EventId::fresh();
        assert_eq!(id.to_string().parse(), Ok(id));
        let json = serde_json::to_string(&id).unwrap();
        assert_eq!(json, format!("\"{id}\""));
        assert_eq!(serde_json::from_str::<EventId>(&json).unwrap(), id);
        let hyphenated: EventId = "FC6D8C0C-43FC-4630-AD85-0EE518F1B9D0".parse().unwrap();
        assert_eq!(hyphenated.as_ref(), "fc6d8c0c43fc4630ad850ee518f1b9d0");
    }

    #[test]
    fn other_texts_are_rejected() {
        for text in ["", "fc6d", "{fc6d8c0c-43fc-4630-ad85-0ee518f1b9d0}", "gc6d8c0c43fc4630ad850ee518f1b9d0"] {
            assert_eq!(text.parse::<EventId>(), Err(ParseEventIdError {}), "{text}");
        }
        assert!(serde_json::from_str::<EventId>("\"fc6d\"").is_err());
    }
}
