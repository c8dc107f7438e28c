//! A value of any type, as a field's value: a number or a truth as such, else by `Display`, else by `Debug`, else its
//! type's name. One that hides a secret is not shown.

use std::any::type_name;
use std::fmt::{Debug, Display};

use crate::events::field::Value;
use zeroize::Zeroize;

use crate::base::secret::{MASK, Secret};
use crate::events::failure::shown;

/// A value, to be shown.
pub struct Show<'v, T: ?Sized>(pub &'v T);

/// Types that need not become text.
pub trait Plain {
    /// The value as it is.
    fn plain(&self) -> Value<'static>;
}

macro_rules! plain {
    ($($type:ty),*) => {$(
        impl Plain for $type {
            fn plain(&self) -> Value<'static> {
                Value::from(*self)
            }
        }
    )*};
}
plain!(u8, u16, u32, u64, usize, i8, i16, i32, i64, f32, f64, bool);

impl<T: Plain> Plain for &T {
    fn plain(&self) -> Value<'static> {
        (**self).plain()
    }
}

macro_rules! shows {
    ($($(#[$doc:meta])* $trait:ident for [$($reference:tt)*] $(where [$($bound:tt)+])?: |$value:ident| $shown:expr;)*) => {$(
        $(#[$doc])*
        pub trait $trait {
            /// The value of a field.
            fn show(&self) -> Value<'static>;
        }

        impl<T: ?Sized> $trait for $($reference)* Show<'_, T> $(where T: $($bound)+)? {
            fn show(&self) -> Value<'static> {
                let $value = self.0;
                $shown
            }
        }
    )*};
}

shows! {
    /// A number or a truth.
    ShowPlain for [&&&] where [Plain]: |value| value.plain();
    /// What can be shown.
    ShowDisplay for [&&] where [Display]: |value| Value::from(shown(&format_args!("{value}")));
    /// What can be shown to a programmer.
    ShowDebug for [&] where [Debug]: |value| Value::from(shown(&format_args!("{value:?}")));
    /// Anything at all.
    ShowType for []: |_value| Value::from(type_name::<T>());
}

/// Types whose values are not for others to see.
pub trait Hidden {}
impl<T: Zeroize> Hidden for Secret<T> {}
impl<T: Hidden + ?Sized> Hidden for &T {}
impl<T: Hidden> Hidden for Option<T> {}

/// What no type that hides a secret is.
#[diagnostic::on_unimplemented(
    message = "a secret cannot be recorded as it is",
    label = "a `{Self}`",
    note = "say how it is redacted: `name = redact`, `name = hash` (equal for equal values) or `name = len`"
)]
pub trait Recordable {}

/// Refuses what hides a secret.
pub trait ShowHidden {
    /// What hides it.
    type Value: ?Sized;

    /// The value of a field, if it could be one.
    fn show(&self) -> Value<'static>
    where
        Self::Value: Recordable;
}

impl<T: Hidden + ?Sized> ShowHidden for &&&&Show<'_, T> {
    type Value = T;

    fn show(&self) -> Value<'static>
    where
        T: Recordable,
    {
        Value::from(MASK)
    }
}
