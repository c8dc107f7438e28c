//! A function of the user's that judges a value by reference: `ok_if`, `error_if`, `ignore_if`. One that cannot is told
//! in our words.

use std::ops::Deref;

/// A function, and the value that it is to judge.
pub struct Verdict<'v, F, T: ?Sized>(pub F, pub &'v T);

/// Functions that take the value as it is.
pub trait VerdictOnValue {
    /// What the function says.
    fn say(&self) -> bool;
}

impl<'v, F: Fn(&'v T) -> bool, T: ?Sized> VerdictOnValue for &&Verdict<'v, F, T> {
    #[inline]
    fn say(&self) -> bool {
        (self.0)(self.1)
    }
}

/// Functions that take what the value stands for: `str` for `String`, a slice for a `Vec`.
pub trait VerdictOnTarget {
    /// What the function says.
    fn say(&self) -> bool;
}

impl<'v, F: Fn(&'v T::Target) -> bool, T: Deref + ?Sized> VerdictOnTarget for &Verdict<'v, F, T> {
    #[inline]
    fn say(&self) -> bool {
        (self.0)(self.1)
    }
}

/// What a function would have to be. None is.
#[diagnostic::on_unimplemented(
    message = "expected a function `fn(&{T}) -> bool`",
    label = "not a function from `&{T}` to `bool`"
)]
pub trait Judges<T: ?Sized> {}

/// All other functions.
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
