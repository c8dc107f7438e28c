//! Attributes of OTLP.

use std::time::{SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

use crate::events::field::Value;

/// An attribute.
pub fn attribute(key: impl Into<String>, value: Any) -> KeyValue {
    KeyValue { key: key.into(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

/// An attribute with a text.
pub fn text(key: impl Into<String>, value: impl Into<String>) -> KeyValue {
    attribute(key, Any::StringValue(value.into()))
}

/// An attribute with a whole number; one that is too large for OTLP is the largest that is not.
pub fn number(key: impl Into<String>, value: u64) -> KeyValue {
    attribute(key, Any::IntValue(i64::try_from(value).unwrap_or(i64::MAX)))
}

/// The value of a field.
pub fn any(value: &Value<'_>) -> Any {
    match value {
        Value::Text(text) => Any::StringValue(text.to_string()),
        Value::Signed(number) => Any::IntValue(*number),
        // What is too large for a number of OTLP keeps its digits.
        Value::Unsigned(number) | Value::Length(number) => {
            i64::try_from(*number).map_or_else(|_| Any::StringValue(number.to_string()), Any::IntValue)
        }
        Value::Float(number) => Any::DoubleValue(*number),
        Value::Bool(value) => Any::BoolValue(*value),
        Value::Hash(_) => Any::StringValue(value.to_string()),
    }
}

/// Nanoseconds since 1970.
pub fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
