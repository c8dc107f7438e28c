//! How many logical bytes a value takes, by its type.
//!
//! The sizes are those of "Data type sizes" in
//! <https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#data_type_sizes>.
//! A `NULL` of any type takes none.

use serde::{Deserialize, Serialize};

/// The type of a column. The names of legacy SQL are read, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ColumnType {
    /// 8 bytes.
    #[serde(alias = "INTEGER")]
    Int64,
    /// 8 bytes.
    #[serde(alias = "FLOAT")]
    Float64,
    /// 16 bytes.
    Numeric,
    /// 32 bytes.
    Bignumeric,
    /// 1 byte.
    #[serde(alias = "BOOLEAN")]
    Bool,
    /// 8 bytes.
    Date,
    /// 8 bytes.
    Datetime,
    /// 8 bytes.
    Time,
    /// 8 bytes.
    Timestamp,
    /// 16 bytes.
    Interval,
    /// 16 bytes.
    Range,
    /// 2 bytes, and the text in UTF-8.
    String,
    /// 2 bytes, and the value.
    Bytes,
    /// 16 bytes, and 24 for each vertex.
    Geography,
    /// The text in UTF-8, in canonical form.
    Json,
    /// The sum of its fields.
    #[serde(alias = "RECORD")]
    Struct,
}

impl ColumnType {
    /// The bytes of a value that is not `NULL`, or `None` where they depend on the value.
    #[must_use]
    pub fn width(self) -> Option<u64> {
        match self {
            Self::Bool => Some(1),
            Self::Int64 | Self::Float64 | Self::Date | Self::Datetime | Self::Time | Self::Timestamp => Some(8),
            Self::Numeric | Self::Interval | Self::Range => Some(16),
            Self::Bignumeric => Some(32),
            Self::String | Self::Bytes | Self::Geography | Self::Json | Self::Struct => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test may stop")]
mod tests {
    use super::ColumnType;

    fn width(name: &str) -> Option<u64> {
        serde_json::from_str::<ColumnType>(&format!("\"{name}\"")).unwrap().width()
    }

    #[test]
    fn widths_are_those_of_the_documentation() {
        for name in ["INT64", "FLOAT64", "DATE", "DATETIME", "TIME", "TIMESTAMP"] {
            assert_eq!(width(name), Some(8), "{name}");
        }
        assert_eq!(width("BOOL"), Some(1));
        for name in ["NUMERIC", "INTERVAL", "RANGE"] {
            assert_eq!(width(name), Some(16), "{name}");
        }
        assert_eq!(width("BIGNUMERIC"), Some(32));
        for name in ["STRING", "BYTES", "GEOGRAPHY", "JSON", "STRUCT"] {
            assert_eq!(width(name), None, "{name}");
        }
    }

    #[test]
    fn legacy_names_are_the_same_types() {
        for (legacy, width_now) in [("INTEGER", 8), ("FLOAT", 8), ("BOOLEAN", 1)] {
            assert_eq!(width(legacy), Some(width_now), "{legacy}");
        }
        assert_eq!(width("RECORD"), None);
    }
}
