//! Attributes of OTLP.

use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};

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
