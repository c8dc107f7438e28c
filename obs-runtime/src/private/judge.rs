//! Is a return value an error, and what can be said of it?

use std::error::Error;
use std::fmt::{Debug, Display};
use std::process::ExitCode;

use crate::events::failure::{ErrorKind, ExitFailure, Failure, NoValue};

/// A return value, to be judged.
pub struct Judge<'v, T>(pub &'v T);

/// Types that tell whether they are an error.
pub trait JudgeOutcome<'v> {
    /// What tells more about it.
    type Error;
    /// The error, if it is one.
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

/// Every other type is ok.
pub trait JudgeOk<'v> {
    /// Nothing.
    #[inline]
    fn error(&self) -> Option<&'v NoValue> {
        None
    }
}

impl<'v, T> JudgeOk<'v> for Judge<'v, T> {}

/// An error, to be described.
pub struct Describe<'v, E>(pub &'v E);

macro_rules! descriptions {
    ($($(#[$doc:meta])* $trait:ident for [$($reference:tt)*] $(where [$($bound:tt)+])?: |$error:ident| $failure:expr;)*) => {$(
        $(#[$doc])*
        pub trait $trait<'v> {
            /// What can be said of the error.
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
    /// An error as the standard library knows it.
    DescribeError for [&&&&&] where [Error]: |error| Failure::error(error);
    /// A box or a report around such an error, to be sent between threads.
    DescribeSend for [&&&&] where [AsRef<dyn Error + Send + Sync>]: |error| Failure::erased::<E>(error.as_ref());
    /// A box or a report around such an error.
    DescribeErased for [&&&] where [AsRef<dyn Error>]: |error| Failure::erased::<E>(error.as_ref());
    /// Anything that can be shown.
    DescribeDisplay for [&&] where [Display]: |error| Failure::display(error);
    /// Anything that can be shown to a programmer.
    DescribeDebug for [&] where [Debug]: |error| Failure::debug(error);
    /// Anything at all.
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

/// For return types that name a lifetime: boxes of errors that are not `'static`. Their type cannot be looked up, so it is
/// not used where it is not needed.
pub mod borrowed {
    use std::error::Error;

    use super::Describe;
    use crate::events::failure::Failure;

    /// A box of an error that need not be `'static`.
    pub trait DescribeBorrowed<'v> {
        /// The description.
        fn describe(&self) -> Failure<'v>;
    }

    macro_rules! boxes {
        ($($bounds:tt)*) => {
            impl<'v, 'e> DescribeBorrowed<'v> for &&&&&&Describe<'v, Box<dyn Error $($bounds)* + 'e>> {
                fn describe(&self) -> Failure<'v> {
                    Failure::boxed(&**self.0)
                }
            }
        };
    }
    boxes!();
    boxes!(+ Send);
    boxes!(+ Send + Sync);
}

/// An error, to be asked for its stable kind.
pub struct Kind<'v, E>(pub &'v E);

/// Errors that have a stable kind.
pub trait HasKind {
    /// It.
    fn kind(&self) -> Option<&'static str>;
}

impl<E: ErrorKind> HasKind for &Kind<'_, E> {
    #[inline]
    fn kind(&self) -> Option<&'static str> {
        Some(self.0.error_kind())
    }
}

/// Errors that have none.
pub trait HasNoKind {
    /// Nothing.
    #[inline]
    fn kind(&self) -> Option<&'static str> {
        None
    }
}

impl<E> HasNoKind for Kind<'_, E> {}

/// A value of a type that tells no errors.
#[inline]
pub const fn no_error<T>(_value: &T) -> Option<Failure<'_>> {
    None
}

/// A value judged by `ok_if = path`.
#[inline]
pub fn ok_if<'v>(ok: bool, otherwise: impl FnOnce() -> Option<Failure<'v>>) -> Option<Failure<'v>> {
    if ok { None } else { Some(otherwise().unwrap_or(Failure::words("not_ok", "what was returned is not ok"))) }
}

/// A value judged by `error_if = path`.
#[inline]
pub fn error_if<'v>(error: bool, otherwise: impl FnOnce() -> Option<Failure<'v>>) -> Option<Failure<'v>> {
    ok_if(!error, otherwise)
}
