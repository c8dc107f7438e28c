//! Classifies return values and describes errors.

use std::error::Error;
use std::fmt::{Debug, Display};
use std::marker::PhantomData;
use std::process::ExitCode;

use crate::events::error_kind::{self, ErrorKind};
use crate::events::failure::{ExitFailure, Failure, NoValue};
use crate::events::panics::caught;
pub use crate::instrument::performance::no_error;

/// A return value to classify.
pub struct Judge<'v, T>(pub &'v T);

/// Types that can hold an error.
pub trait JudgeOutcome<'v> {
    /// The type of the error.
    type Error;
    /// The error, if the value is one.
    fn error(&self) -> Option<&'v Self::Error>;
}

impl<'v, T, E> JudgeOutcome<'v> for &Judge<'v, Result<T, E>> {
    type Error = E;
    #[inline]
    fn error(&self) -> Option<&'v E> {
        self.0.as_ref().err()
    }
}

impl<'v, T> JudgeOutcome<'v> for &Judge<'v, Option<T>> {
    type Error = NoValue;
    #[inline]
    fn error(&self) -> Option<&'v NoValue> {
        if self.0.is_none() { Some(&NoValue) } else { None }
    }
}

impl<'v> JudgeOutcome<'v> for &Judge<'v, ExitCode> {
    type Error = ExitFailure;
    #[inline]
    fn error(&self) -> Option<&'v ExitFailure> {
        ExitFailure::of(*self.0)
    }
}

/// Every other type.
pub trait JudgeOk<'v> {
    /// None.
    #[inline]
    fn error(&self) -> Option<&'v NoValue> {
        None
    }
}

impl<'v, T> JudgeOk<'v> for Judge<'v, T> {}

/// An error to describe.
pub struct Describe<'v, E>(pub &'v E);

macro_rules! descriptions {
    ($($(#[$doc:meta])* $trait:ident for [$($reference:tt)*] $(where [$($bound:tt)+])?: |$error:ident| $failure:expr;)*) => {$(
        $(#[$doc])*
        pub trait $trait<'v> {
            /// The description.
            fn describe(&self) -> Failure<'v>;
        }

        impl<'v, E> $trait<'v> for $($reference)* Describe<'v, E> $(where E: $($bound)+)? {
            #[inline]
            fn describe(&self) -> Failure<'v> {
                let $error = self.0;
                $failure
            }
        }
    )*};
}

descriptions! {
    /// Types with `Error`.
    DescribeError for [&&&&&] where [Error]: |error| Failure::error(error);
    /// Boxes and reports of errors, with `Send` and `Sync`.
    DescribeSend for [&&&&] where [AsRef<dyn Error + Send + Sync>]: |error| Failure::boxed::<E>(error.as_ref());
    /// Boxes and reports of errors.
    DescribeErased for [&&&] where [AsRef<dyn Error>]: |error| Failure::boxed::<E>(error.as_ref());
    /// Types with `Display`.
    DescribeDisplay for [&&] where [Display]: |error| Failure::display(error);
    /// Types with `Debug`.
    DescribeDebug for [&] where [Debug]: |error| Failure::debug(error);
    /// Every other type.
    DescribeType for []: |_error| Failure::opaque::<E>();
}

/// Exit codes.
pub trait DescribeExit<'v> {
    /// The description.
    fn describe(&self) -> Failure<'v>;
}

impl<'v> DescribeExit<'v> for &&&&&&Describe<'v, ExitFailure> {
    #[inline]
    fn describe(&self) -> Failure<'v> {
        Failure::exit(self.0)
    }
}

/// Boxes of errors that need not be `'static`. Generated code uses this only for return types that name a lifetime: the
/// type of such an error cannot be looked up, so its label is less exact.
pub mod borrowed {
    use std::error::Error;

    use super::Describe;
    use crate::events::failure::Failure;

    /// Boxes of errors that need not be `'static`.
    pub trait DescribeBorrowed<'v> {
        /// The description.
        fn describe(&self) -> Failure<'v>;
    }

    macro_rules! boxes {
        ($($bounds:tt)*) => {
            impl<'v, 'e> DescribeBorrowed<'v> for &&&&&&Describe<'v, Box<dyn Error $($bounds)* + 'e>> {
                fn describe(&self) -> Failure<'v> {
                    Failure::boxed::<dyn Error>(&**self.0)
                }
            }
        };
    }
    boxes!();
    boxes!(+ Send);
    boxes!(+ Send + Sync);
}

/// An error to ask for its stable kind.
pub struct Kind<'v, E>(pub &'v E);

/// Errors that have a stable kind.
pub trait HasKind {
    /// The kind.
    fn kind(&self) -> Option<&'static str>;
}

impl<E: ErrorKind> HasKind for &Kind<'_, E> {
    #[inline]
    fn kind(&self) -> Option<&'static str> {
        caught(|| self.0.error_kind()).ok()
    }
}

/// Errors without one.
pub trait HasNoKind {
    /// None.
    #[inline]
    fn kind(&self) -> Option<&'static str> {
        None
    }
}

impl<E> HasNoKind for Kind<'_, E> {}

/// A type of errors that is to be registered.
pub struct ErrorType<E>(PhantomData<E>);

impl<E> ErrorType<E> {
    /// The type.
    #[expect(clippy::new_without_default, reason = "generated code calls it by this name")]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

/// Errors that can be found behind pointers and among sources.
pub trait Registers {
    /// The kind of an error of this type.
    fn kind(&self, error: &(dyn Error + 'static)) -> Option<&'static str>;
}

impl<E: Error + ErrorKind + 'static> Registers for &ErrorType<E> {
    fn kind(&self, error: &(dyn Error + 'static)) -> Option<&'static str> {
        error_kind::as_type::<E>(error).map(ErrorKind::error_kind)
    }
}

/// Types that are no errors.
pub trait RegistersNothing {
    /// None.
    fn kind(&self, _error: &(dyn Error + 'static)) -> Option<&'static str> {
        None
    }
}

impl<E> RegistersNothing for ErrorType<E> {}

/// The classification by `ok_if = path`.
#[inline]
pub fn ok_if<'v>(ok: bool, otherwise: impl FnOnce() -> Option<Failure<'v>>) -> Option<Failure<'v>> {
    if ok { None } else { Some(otherwise().unwrap_or(Failure::words("not_ok", "what was returned is not ok"))) }
}

/// The classification by `error_if = path`.
#[inline]
pub fn error_if<'v>(error: bool, otherwise: impl FnOnce() -> Option<Failure<'v>>) -> Option<Failure<'v>> {
    ok_if(!error, otherwise)
}
