//! Values that are never shown.

use std::any::type_name;
use std::fmt;

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::Zeroize;

/// The text that replaces a secret.
pub const MASK: &str = "[REDACTED]";

/// A value that is never shown: `Debug`, `Display` and `Serialize` give `[REDACTED]`. Its memory is zeroed when it is
/// dropped. `Deserialize` reads the value itself; its errors do not quote it.
///
/// ```
/// let key = obs_runtime::Secret::new(String::from("hunter2"));
/// assert_eq!(format!("{key} {key:?}"), "[REDACTED] [REDACTED]");
/// assert_eq!(key.expose(), "hunter2");
///
/// #[derive(serde::Deserialize, serde::Serialize)]
/// struct Database {
///     password: obs_runtime::Secret<String>,
/// }
/// let database: Database = serde_json::from_str(r#"{"password":"hunter2"}"#)?;
/// assert_eq!(database.password.expose(), "hunter2");
/// assert_eq!(serde_json::to_string(&database)?, r#"{"password":"[REDACTED]"}"#);
/// # Ok::<_, serde_json::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The value itself.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Length of the value in bytes, as `args(key = len)` records it.
    pub fn len(&self) -> usize {
        self.0.as_ref().len()
    }

    /// Whether the value is empty.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl<T: Zeroize> fmt::Display for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(MASK)
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl<T: Zeroize> Serialize for Secret<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(MASK)
    }
}

impl<'de, T: Zeroize + Deserialize<'de>> Deserialize<'de> for Secret<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // Errors of deserialization quote the value.
        let error = |_| D::Error::custom(format_args!("a secret that is not a valid {}", type_name::<T>()));
        T::deserialize(deserializer).map(Self).map_err(error)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[test]
    fn each_dropped_secret_is_zeroed_once() {
        struct Counted<'a>(&'a AtomicUsize);
        impl Zeroize for Counted<'_> {
            fn zeroize(&mut self) {
                self.0.fetch_add(1, Ordering::Relaxed);
            }
        }
        let wiped = AtomicUsize::new(0);
        drop((Secret::new(Counted(&wiped)), Some(Secret::new(Counted(&wiped)))));
        assert_eq!(wiped.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn a_secret_is_masked_in_every_format() {
        let secret = Secret::from(vec![1_u8, 2, 3]);
        assert_eq!(
            format!("{secret} {secret:?} {secret:#?} {:?}", Some(&secret)),
            format!("{MASK} {MASK} {MASK} Some({MASK})")
        );
        assert_eq!(serde_json::to_string(&secret).unwrap(), "\"[REDACTED]\"");
        let read: Secret<Vec<u8>> = serde_json::from_str("[1,2,3]").unwrap();
        assert!(read == secret);
    }

    #[test]
    fn an_error_of_deserialization_does_not_quote_the_value() {
        let number = serde_json::from_str::<Secret<u64>>("\"hunter2\"").map(drop).unwrap_err().to_string();
        assert!(number.starts_with("a secret that is not a valid u64"), "{number}");
        let text = serde_json::from_str::<Secret<String>>("4711").map(drop).unwrap_err().to_string();
        assert!(!number.contains("hunter2") && !text.contains("4711"), "{text}");
    }
}
