//! A SQL statement and its bound values.

/// A value that is bound to a statement.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TableValue {
    /// An integer.
    Integer(i64),
    /// A floating-point number.
    Real(f64),
    /// A text.
    Text(String),
    /// A boolean; 1 or 0 in `SQLite`.
    Truth(bool),
    /// A date: `2026-11-26`. Bound as text in `SQLite`.
    Date(String),
    /// A timestamp: `2026-11-26 07:05:00+00`. Bound as text in `SQLite`.
    Timestamp(String),
}

macro_rules! values {
    ($($kind:ident from $($from:ty),+;)*) => {$($(
        impl From<$from> for TableValue {
            fn from(value: $from) -> Self {
                Self::$kind(value.into())
            }
        }
    )+)*};
}
values! {
    Integer from i8, i16, i32, i64, u8, u16, u32;
    Real from f32, f64;
    Text from &str, String;
    Truth from bool;
}

/// A SQL statement and its values.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// The text, with a `?` for each value.
    pub sql: String,
    /// The values, in the order of the `?`.
    pub values: Vec<TableValue>,
}

impl Statement {
    /// Creates a statement.
    pub fn new(sql: impl Into<String>, values: impl IntoIterator<Item: Into<TableValue>>) -> Self {
        Self { sql: sql.into(), values: values.into_iter().map(Into::into).collect() }
    }
}
