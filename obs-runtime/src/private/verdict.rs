//! Predicates of the user's: `ok_if`, `error_if`, `ignore_if`. Functions that are none are refused with a message.

use std::ops::Deref;

/// A predicate and its argument.
pub struct Verdict<'v, F, T: ?Sized>(pub F, pub &'v T);

/// Functions that take a reference to the value.
pub trait VerdictOnValue {
    /// The result of the predicate.
    fn say(&self) -> bool;
}

impl<'v, F: Fn(&'v T) -> bool, T: ?Sized> VerdictOnValue for &&Verdict<'v, F, T> {
    #[inline]
    fn say(&self) -> bool {
        (self.0)(self.1)
    }
}

/// Functions that take the target of the value's `Deref`: `str` for `String`, a slice for a `Vec`.
pub trait VerdictOnTarget {
    /// The result of the predicate.
    fn say(&self) -> bool;
}

impl<'v, F: Fn(&'v T::Target) -> bool, T: Deref + ?Sized> VerdictOnTarget for &Verdict<'v, F, T> {
    #[inline]
    fn say(&self) -> bool {
        (self.0)(self.1)
    }
}

/// Implemented by no function; carries the message.
#[diagnostic::on_unimplemented(
    message = "expected a function `fn(&{T}) -> bool`",
    label = "not a function from `&{T}` to `bool`"
)]
pub trait Judges<T: ?Sized> {}

/// Every other type.
pub trait VerdictNone {
    /// The function's type.
    type Function;
    /// The value's type.
    type Value: ?Sized;

    /// Never called: nothing [`Judges`].
    fn say(&self) -> bool
    where
        Self::Function: Judges<Self::Value>;
}

impl<F, T: ?Sized> VerdictNone for Verdict<'_, F, T> {
    type Function = F;
    type Value = T;

    fn say(&self) -> bool
    where
        F: Judges<T>,
    {
        false
    }
}
