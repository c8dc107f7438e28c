//! A value of any type as the input of a hash: as in a field, but a secret is exposed to the hash.

use std::fmt::Display;

use zeroize::Zeroize;

pub use crate::__private::show::{Show, ShowDebug, ShowDisplay, ShowPlain, ShowType};

use crate::base::secret::Secret;
use crate::events::failure::shown;
use crate::events::field::Value;

/// Types of secrets.
pub trait Exposed {
    /// The secret.
    fn exposed(&self) -> Value<'static>;
}

impl<T: Zeroize + Display> Exposed for Secret<T> {
    fn exposed(&self) -> Value<'static> {
        let value = self.expose();
        Value::from(shown(&format_args!("{value}")))
    }
}

impl<T: Exposed + ?Sized> Exposed for &T {
    fn exposed(&self) -> Value<'static> {
        (**self).exposed()
    }
}

/// Types of secrets.
pub trait ShowExposed {
    /// The input of the hash.
    fn show(&self) -> Value<'static>;
}

impl<T: Exposed + ?Sized> ShowExposed for &&&&Show<'_, T> {
    fn show(&self) -> Value<'static> {
        self.0.exposed()
    }
}
