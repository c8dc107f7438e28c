//! Named values.

use std::borrow::Cow;
use std::fmt;

/// Borrowed or owned text.
pub type Text<'a> = Cow<'a, str>;

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// The name.
    pub name: Text<'a>,
    /// The value.
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    /// Creates a field.
    pub fn new(name: impl Into<Text<'a>>, value: impl Into<Value<'a>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Text.
    Text(Text<'a>),
    /// A signed integer.
    Signed(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// A floating-point number, which need not be finite.
    Float(f64),
    /// A boolean.
    Bool(bool),
    /// A keyed hash of a sensitive value: equal for equal values. Displayed as 16 hexadecimal digits.
    Hash(u64),
    /// The length of a sensitive value.
    Length(u64),
}

macro_rules! value_from {
    ($($variant:ident from $($from:ty),+;)*) => {$($(
        impl From<$from> for Value<'_> {
            fn from(value: $from) -> Self {
                Self::$variant(value.into())
            }
        }
    )+)*};
}
value_from! {
    Signed from i8, i16, i32, i64;
    Unsigned from u8, u16, u32, u64;
    Float from f32, f64;
    Bool from bool;
}

impl<'a> From<&'a str> for Value<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Self::Text(Cow::Owned(value))
    }
}

impl<'a> From<Text<'a>> for Value<'a> {
    fn from(value: Text<'a>) -> Self {
        Self::Text(value)
    }
}

impl From<usize> for Value<'_> {
    fn from(value: usize) -> Self {
        Self::Unsigned(value as u64)
    }
}

impl fmt::Display for Value<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Signed(number) => number.fmt(formatter),
            Self::Unsigned(number) => number.fmt(formatter),
            Self::Float(number) => number.fmt(formatter),
            Self::Bool(value) => value.fmt(formatter),
            Self::Hash(hash) => write!(formatter, "{hash:016x}"),
            Self::Length(length) => length.fmt(formatter),
        }
    }
}
