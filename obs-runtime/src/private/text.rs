//! A value that is shown by `Display`: a label, a user, a data set. One that cannot be is told in our words.

use std::fmt::Display;

use crate::events::failure::shown;

/// A value, to be shown.
pub struct Text<'v, T: ?Sized>(pub &'v T);

/// Values that can be shown.
pub trait TextDisplay {
    /// The text; a `Display` that panics is told in it.
    fn text(&self) -> String;
}

impl<T: Display + ?Sized> TextDisplay for &Text<'_, T> {
    fn text(&self) -> String {
        shown(&self.0)
    }
}

/// What a value would have to be. Nothing is.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be displayed: it does not implement `Display`",
    label = "this does not implement `Display`",
    note = "give text or a number, or what shows it: `name = value.name()`, `path = path.display()`"
)]
pub trait Shown {}

/// All other values.
pub trait TextNone {
    /// The value's type.
    type Value: ?Sized;

    /// Never called: nothing is [`Shown`].
    fn text(&self) -> String
    where
        Self::Value: Shown;
}

impl<T: ?Sized> TextNone for Text<'_, T> {
    type Value = T;

    fn text(&self) -> String
    where
        T: Shown,
    {
        String::new()
    }
}
