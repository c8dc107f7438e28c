//! A value of any type, as what a hash is made of: as a field has it, but that the hash of a secret is one of the secret.

use std::fmt::Display;

use zeroize::Zeroize;

pub use crate::__private::show::{Show, ShowDebug, ShowDisplay, ShowPlain, ShowType};

use crate::base::secret::Secret;
use crate::events::failure::shown;
use crate::events::field::Value;

/// Types that hide what is to be hashed.
pub trait Exposed {
    /// What is hidden.
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

/// What a secret hides.
pub trait ShowExposed {
    /// What the hash is made of.
    fn show(&self) -> Value<'static>;
}

impl<T: Exposed + ?Sized> ShowExposed for &&&&Show<'_, T> {
    fn show(&self) -> Value<'static> {
        self.0.exposed()
    }
}
