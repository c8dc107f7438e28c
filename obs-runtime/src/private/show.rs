//! A value of any type as a field: numbers and booleans as they are, others by `Display`, else by `Debug`, else by the name
//! of their type. Secrets are refused.

use std::any::type_name;
use std::fmt::{Debug, Display};

use crate::events::field::Value;
use zeroize::Zeroize;

use crate::base::secret::{MASK, Secret};
use crate::events::failure::shown;

/// A value to render.
pub struct Show<'v, T: ?Sized>(pub &'v T);

/// Types that are recorded without formatting.
pub trait Plain {
    /// The value.
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
    /// Numbers and booleans.
    ShowPlain for [&&&] where [Plain]: |value| value.plain();
    /// Types with `Display`.
    ShowDisplay for [&&] where [Display]: |value| Value::from(shown(&format_args!("{value}")));
    /// Types with `Debug`.
    ShowDebug for [&] where [Debug]: |value| Value::from(shown(&format_args!("{value:?}")));
    /// Every other type.
    ShowType for []: |_value| Value::from(type_name::<T>());
}

/// Types of secrets.
pub trait Hidden {}
impl<T: Zeroize> Hidden for Secret<T> {}
impl<T: Hidden + ?Sized> Hidden for &T {}
impl<T: Hidden> Hidden for Option<T> {}

/// Implemented by no type; carries the message about secrets.
#[diagnostic::on_unimplemented(
    message = "a secret cannot be recorded as it is",
    label = "a `{Self}`",
    note = "say how it is redacted: `name = redact`, `name = hash` (equal for equal values) or `name = len`"
)]
pub trait Recordable {}

/// Refuses secrets.
pub trait ShowHidden {
    /// The type of the secret.
    type Value: ?Sized;

    /// Does not compile, as nothing is [`Recordable`].
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
