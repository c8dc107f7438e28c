//! A SQL statement and its bound values.

use std::panic::Location;

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

impl TableValue {
    /// Whether databases compare it as a number.
    pub(super) const fn is_number(&self) -> bool {
        matches!(self, Self::Integer(_) | Self::Real(_) | Self::Truth(_))
    }

    /// As messages show it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Real(number) => number.to_string(),
            Self::Truth(truth) => truth.to_string(),
            Self::Text(text) | Self::Date(text) | Self::Timestamp(text) => text.clone(),
        }
    }
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
    Text from &str, &String, String, char;
    Truth from bool;
}

macro_rules! large_integers {
    ($($from:ty),+) => {$(
        /// A number that no database has as an integer is a floating-point number.
        impl From<$from> for TableValue {
            #[allow(clippy::cast_precision_loss, reason = "it is beyond all integers of a database")]
            fn from(value: $from) -> Self {
                i64::try_from(value).map_or(Self::Real(value as f64), Self::Integer)
            }
        }
    )+};
}
large_integers!(u64, usize, isize, u128, i128);

/// The values of a statement: an array, a vector, a slice, or a tuple of values of different types. `[]` has none.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no list of values for SQL",
    note = "give an array or a vector of one type, or a tuple of different ones: `(\"paid\", 3)`; `[]` for none"
)]
pub trait Values {
    /// The values, in order.
    fn into_values(self) -> Vec<TableValue>;
}

/// One type of an array without items, so that `[]` needs none.
impl Values for [TableValue; 0] {
    fn into_values(self) -> Vec<TableValue> {
        Vec::new()
    }
}

impl<T: Into<TableValue>> Values for Vec<T> {
    fn into_values(self) -> Vec<TableValue> {
        self.into_iter().map(Into::into).collect()
    }
}

impl<T: Into<TableValue> + Clone> Values for &[T] {
    fn into_values(self) -> Vec<TableValue> {
        self.iter().cloned().map(Into::into).collect()
    }
}

impl<T: Into<TableValue> + Clone> Values for &Vec<T> {
    fn into_values(self) -> Vec<TableValue> {
        self.as_slice().into_values()
    }
}

macro_rules! arrays {
    ($($length:literal)*) => {$(
        impl<T: Into<TableValue>> Values for [T; $length] {
            fn into_values(self) -> Vec<TableValue> {
                self.into_iter().map(Into::into).collect()
            }
        }
    )*};
}
arrays!(1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32);

macro_rules! tuples {
    ($($($name:ident)+;)*) => {$(
        impl<$($name: Into<TableValue>),+> Values for ($($name,)+) {
            #[allow(non_snake_case, reason = "a variable for each type parameter")]
            fn into_values(self) -> Vec<TableValue> {
                let ($($name,)+) = self;
                vec![$($name.into()),+]
            }
        }
    )*};
}
tuples! {
    A;
    A B;
    A B C;
    A B C D;
    A B C D E;
    A B C D E F;
    A B C D E F G;
    A B C D E F G H;
}

/// A SQL statement and its values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Statement {
    /// The text, with a `?` for each value.
    pub sql: String,
    /// The values, in the order of the `?`.
    pub values: Vec<TableValue>,
    /// Where the check was made, or the statement.
    #[cfg_attr(not(feature = "bigquery"), allow(dead_code, reason = "only BigQuery reports each query"))]
    pub(super) place: &'static Location<'static>,
}

/// Statements are equal if their text and their values are.
impl PartialEq for Statement {
    fn eq(&self, other: &Self) -> bool {
        self.sql == other.sql && self.values == other.values
    }
}

impl Statement {
    /// Creates a statement.
    #[track_caller]
    pub fn new(sql: impl Into<String>, values: impl Values) -> Self {
        Self { sql: sql.into(), values: values.into_values(), place: Location::caller() }
    }
}
