//! A named value of an event.

use std::borrow::Cow;
use std::fmt;

/// Text that is borrowed where it can be.
pub type Text<'a> = Cow<'a, str>;

/// A named value.
#[derive(Clone, Debug, PartialEq)]
pub struct Field<'a> {
    /// Its name.
    pub name: Text<'a>,
    /// Its value.
    pub value: Value<'a>,
}

impl<'a> Field<'a> {
    /// A field of that name and value.
    pub fn new(name: impl Into<Text<'a>>, value: impl Into<Value<'a>>) -> Self {
        Self { name: name.into(), value: value.into() }
    }
}

/// A value of a field, as sinks know them.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Text.
    Text(Text<'a>),
    /// A whole number.
    Signed(i64),
    /// A whole number, not negative.
    Unsigned(u64),
    /// Any other number, also one that is not finite.
    Float(f64),
    /// True or false.
    Bool(bool),
    /// A keyed hash of a value that must not leave: equal for equal values. Shown as 16 hexadecimal digits.
    Hash(u64),
    /// The length of a value that must not leave.
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
