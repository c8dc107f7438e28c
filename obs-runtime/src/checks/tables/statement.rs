//! A statement with its values, which never become part of its text.

/// A value to compare with. It is bound, not written into the text.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum TableValue {
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// A text.
    Text(String),
    /// True or false: 1 or 0 in `SQLite`.
    Truth(bool),
    /// A date: `2026-11-26`. `SQLite` is told the text.
    Date(String),
    /// A moment: `2026-11-26 07:05:00+00`. `SQLite` is told the text.
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

/// What a table is asked.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Statement {
    /// Its text: names in it are quoted, each `?` stands for a value.
    pub sql: String,
    /// The values, in the order of the `?`.
    pub values: Vec<TableValue>,
}

impl Statement {
    /// A statement.
    pub fn new(sql: impl Into<String>, values: impl IntoIterator<Item: Into<TableValue>>) -> Self {
        Self { sql: sql.into(), values: values.into_iter().map(Into::into).collect() }
    }
}
