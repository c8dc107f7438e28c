//! Typed values of query parameters.

use std::collections::HashMap;

use gcp_bigquery_client::model::query_parameter::QueryParameter;
use gcp_bigquery_client::model::query_parameter_type::QueryParameterType;
use gcp_bigquery_client::model::query_parameter_type_struct_types::QueryParameterTypeStructTypes;
use gcp_bigquery_client::model::query_parameter_value::QueryParameterValue;

/// The typed value of a query parameter (`@name` or `?`).
///
/// Most types convert by `From`: `query.bind("day", 3)`. There is a constructor for each of the other BigQuery types.
///
/// ```
/// use obs_runtime::bigquery::Parameter;
///
/// let ids = Parameter::from(vec![1, 2, 3]);
/// let day = Parameter::date("2026-11-26");
/// let missing = Parameter::null::<String>();
/// # let _ = (ids, day, missing);
/// ```
#[derive(Clone, Debug)]
pub struct Parameter {
    kind: QueryParameterType,
    value: QueryParameterValue,
}

/// Rust types with a corresponding BigQuery type.
pub trait ParameterType {
    /// The name of the BigQuery type.
    const NAME: &'static str;
}

macro_rules! parameters {
    ($($name:literal from $($from:ty),+;)*) => {$($(
        impl ParameterType for $from {
            const NAME: &'static str = $name;
        }

        impl From<$from> for Parameter {
            fn from(value: $from) -> Self {
                Self::scalar($name, value.to_string())
            }
        }
    )+)*};
}
parameters! {
    "INT64" from i8, i16, i32, i64, u8, u16, u32;
    "FLOAT64" from f32, f64;
    "BOOL" from bool;
    "STRING" from &str, String;
}

impl<T: Into<Self> + ParameterType> From<Vec<T>> for Parameter {
    fn from(values: Vec<T>) -> Self {
        let values = values.into_iter().map(|value| value.into().value).collect();
        Self::array(simple(T::NAME), values)
    }
}

impl<T: Into<Self> + ParameterType> From<Option<T>> for Parameter {
    fn from(value: Option<T>) -> Self {
        value.map_or_else(Self::null::<T>, Into::into)
    }
}

impl Parameter {
    /// A `DATE`, for example `2026-11-26`.
    pub fn date(value: impl Into<String>) -> Self {
        Self::scalar("DATE", value.into())
    }

    /// A `DATETIME`, for example `2026-11-26 07:05:00`.
    pub fn datetime(value: impl Into<String>) -> Self {
        Self::scalar("DATETIME", value.into())
    }

    /// A `TIMESTAMP`, for example `2026-11-26 07:05:00+00`.
    pub fn timestamp(value: impl Into<String>) -> Self {
        Self::scalar("TIMESTAMP", value.into())
    }

    /// A `NUMERIC`, as decimal digits.
    pub fn numeric(value: impl Into<String>) -> Self {
        Self::scalar("NUMERIC", value.into())
    }

    /// `BYTES`, encoded as base64.
    pub fn bytes_base64(value: impl Into<String>) -> Self {
        Self::scalar("BYTES", value.into())
    }

    /// A value of any scalar type, for example `JSON` or `GEOGRAPHY`, in BigQuery's text form.
    pub fn of_type(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self::scalar(&name.into(), value.into())
    }

    /// `NULL`, with the BigQuery type of `T`.
    #[must_use]
    pub fn null<T: ParameterType>() -> Self {
        Self { kind: simple(T::NAME), value: QueryParameterValue::default() }
    }

    /// A `STRUCT` with these fields.
    pub fn record(fields: impl IntoIterator<Item = (String, Self)>) -> Self {
        let mut types = Vec::new();
        let mut values = HashMap::new();
        for (name, Self { kind, value }) in fields {
            types.push(QueryParameterTypeStructTypes {
                description: None,
                name: Some(name.clone()),
                r#type: Some(kind),
            });
            values.insert(name, value);
        }
        Self {
            kind: QueryParameterType { struct_types: Some(types), ..simple("STRUCT") },
            value: QueryParameterValue { struct_values: Some(values), ..QueryParameterValue::default() },
        }
    }

    fn scalar(name: &str, value: String) -> Self {
        Self { kind: simple(name), value: QueryParameterValue { value: Some(value), ..QueryParameterValue::default() } }
    }

    fn array(of: QueryParameterType, values: Vec<QueryParameterValue>) -> Self {
        Self {
            kind: QueryParameterType { array_type: Some(Box::new(of)), ..simple("ARRAY") },
            value: QueryParameterValue { array_values: Some(values), ..QueryParameterValue::default() },
        }
    }

    /// Calls `visit` with each scalar value in this one.
    pub(super) fn each_value(&self, visit: &mut dyn FnMut(&str)) {
        each_value(&self.value, visit);
    }

    pub(super) fn named(self, name: Option<String>) -> QueryParameter {
        QueryParameter { name, parameter_type: Some(self.kind), parameter_value: Some(self.value) }
    }
}

fn each_value(value: &QueryParameterValue, visit: &mut dyn FnMut(&str)) {
    let QueryParameterValue { array_values, struct_values, value } = value;
    if let Some(value) = value {
        visit(value);
    }
    array_values.iter().flatten().for_each(|value| each_value(value, visit));
    struct_values.iter().flatten().for_each(|(_, value)| each_value(value, visit));
}

fn simple(name: &str) -> QueryParameterType {
    QueryParameterType { array_type: None, struct_types: None, r#type: name.to_owned() }
}
