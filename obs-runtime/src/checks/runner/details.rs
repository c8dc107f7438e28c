//! What a check tells beside its verdict, as far as it may leave.

use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::pipeline::global;

/// The longest that details may be as JSON, in bytes.
const LONGEST: usize = 16 * 1024;

/// What a check tells beside its verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details(Value);

impl Details {
    /// The value as JSON. One that cannot be written as JSON, or is longer than 16 KiB, is told so.
    pub fn new(value: &impl Serialize) -> Self {
        Self(match serde_json::to_value(value) {
            Ok(value) => {
                let length = value.to_string().len();
                if length <= LONGEST { value } else { Value::String(format!("left out: {length} bytes are too many")) }
            }
            Err(error) => Value::String(format!("not to be written as JSON: {error}")),
        })
    }
}

/// Details as they may leave: every text in them redacted, by the name it stands under and by value.
#[must_use]
pub fn redacted(details: Details) -> Value {
    redact("", details.0)
}

fn redact(name: &str, value: Value) -> Value {
    match value {
        Value::String(text) => Value::String(global::redact_named(name, text)),
        Value::Array(values) => values.into_iter().map(|value| redact(name, value)).collect(),
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let value = redact(&name, value);
                (name, value)
            })
            .collect(),
        Value::Number(number) => {
            let shown = global::redact_named(name, number.to_string());
            if shown == number.to_string() { Value::Number(number) } else { Value::String(shown) }
        }
        Value::Null | Value::Bool(_) => value,
    }
}

/// A time as RFC 3339 has it, in UTC, to the microsecond.
pub fn timestamp(time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    format!("{time:.6}")
}

/// Writes a time so.
pub fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*time))
}
