//! What results show of a check: its name, and the details that it attaches, both redacted.

use std::borrow::Cow;
use std::time::SystemTime;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::base::secret::MASK;
use crate::base::text;
use crate::pipeline::global;

/// The largest size of details as JSON, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// Details of a result, not yet redacted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Details(Value);

impl Details {
    /// The value as JSON. A value that cannot be serialised, or is larger than 16 KiB, becomes a text that says so.
    pub fn new(value: &impl Serialize) -> Self {
        Self(match serde_json::to_value(value) {
            Ok(value) => {
                let length = value.to_string().len();
                if length <= MAX_BYTES {
                    value
                } else {
                    Value::String(format!("left out: {length} bytes, more than the limit of {MAX_BYTES}"))
                }
            }
            Err(error) => Value::String(format!("cannot be serialised as JSON: {error}")),
        })
    }
}

/// A name as results show it: redacted and on one line, as an item of `for_each` may hold anything.
#[must_use]
pub fn shown_name(name: Cow<'static, str>) -> Cow<'static, str> {
    let shown = global::redact(name.clone().into_owned());
    if shown == name && !name.chars().any(text::is_active) {
        return name;
    }
    Cow::Owned(shown.chars().map(|letter| if text::is_active(letter) { ' ' } else { letter }).collect())
}

/// As [`shown_name`], for a text of a declaration, which is hidden as a whole.
#[must_use]
pub fn shown_declared(text: &'static str) -> &'static str {
    if shown_name(text.into()) == text { text } else { MASK }
}

/// The details with each text redacted, by its field name and by its value.
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
                (global::redact(name), value)
            })
            .collect(),
        Value::Number(number) => {
            let shown = global::redact_named(name, number.to_string());
            if shown == number.to_string() { Value::Number(number) } else { Value::String(shown) }
        }
        Value::Null | Value::Bool(_) => value,
    }
}

/// The time as RFC 3339 in UTC, with microseconds.
pub fn timestamp(time: SystemTime) -> String {
    let time = jiff::Timestamp::try_from(time).unwrap_or_default();
    format!("{time:.6}")
}

/// Serialises a time by [`timestamp`].
pub fn rfc3339<S: Serializer>(time: &SystemTime, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&timestamp(*time))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_name_is_shown_redacted_and_on_one_line() {
        for (name, shown) in [
            ("rows[users]", "rows[users]"),
            ("rows[a\n[+]forged ok]", "rows[a [+]forged ok]"),
            ("rows[ann.lee@example.com]", "rows[[REDACTED]]"),
            ("rows[\u{1b}[31mred]", "rows[ [31mred]"),
        ] {
            assert_eq!(shown_name(name.into()), shown);
        }
    }

    #[test]
    fn details_are_redacted_with_their_keys() {
        let details =
            Details::new(&json!({"ann.lee@example.com": 1, "password": "hunter2", "rows": [{"token": 4711}]}));
        let shown = redacted(details);
        assert_eq!(shown, json!({"[REDACTED]": 1, "password": "[REDACTED]", "rows": [{"token": "[REDACTED]"}]}));
    }
}
