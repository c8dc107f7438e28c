//! Values rendered by `Display`: a label, a user, a data set. Other types are refused with a message.

use std::fmt::Display;

use crate::events::failure::shown;

/// A value to render.
pub struct Text<'v, T: ?Sized>(pub &'v T);

/// Types with `Display`.
pub trait TextDisplay {
    /// The text. A `Display` that panics is replaced by a note.
    fn text(&self) -> String;
}

impl<T: Display + ?Sized> TextDisplay for &Text<'_, T> {
    fn text(&self) -> String {
        shown(&self.0)
    }
}

/// Implemented by no type; carries the message.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be displayed: it does not implement `Display`",
    label = "this does not implement `Display`",
    note = "give text or a number, or what shows it: `name = value.name()`, `path = path.display()`"
)]
pub trait Shown {}

/// Every other type.
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
