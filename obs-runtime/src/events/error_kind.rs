//! Stable labels of errors, and the types that have them.

use std::error::Error;
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::base::ffi::{self, ErrorKinds, Section};
use crate::events::panics::caught;

/// A stable, low-cardinality label for an error: `LoadError::Timeout` → `timeout`.
///
/// Derive it with `#[derive(ErrorKind)]`, also when a function of yours gives the label (`#[error_kind(with = path)]`). The label is the `error_type` of `operation.error`, of log lines and of
/// Sentry's events.
///
/// The derive also registers the type, if it has no generic parameters and implements [`Error`]. A registered type is found
/// behind `Box<dyn Error>`, `anyhow::Error`, `eyre::Report`, `Arc`, and among the sources of another error. A type with
/// parameters, and an implementation without the derive, is found only where the return type of an annotated function names
/// it.
///
/// A success costs nothing. An error is compared with each registered type of the program, and so are its sources, 33 at
/// most, until one has a kind. A comparison takes about 15 ns, or 30 ns for an error of the size of a pointer.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no stable error kind",
    note = "put #[derive(obs_runtime::ErrorKind)] on the type"
)]
pub trait ErrorKind {
    /// The label of this value.
    fn error_kind(&self) -> &'static str;
}

impl<E: ErrorKind + ?Sized> ErrorKind for Box<E> {
    fn error_kind(&self) -> &'static str {
        (**self).error_kind()
    }
}

impl<E: ErrorKind + ?Sized> ErrorKind for Arc<E> {
    fn error_kind(&self) -> &'static str {
        (**self).error_kind()
    }
}

/// A type with an [`ErrorKind`]: gives the kind of an error that is of that type.
pub struct RegisteredKind(fn(&(dyn Error + 'static)) -> Option<&'static str>);

impl Section for ErrorKinds {
    type Item = RegisteredKind;
}

impl RegisteredKind {
    /// A type that `kind` recognises. The type has no lifetimes.
    pub const fn new(kind: fn(&(dyn Error + 'static)) -> Option<&'static str>) -> Self {
        Self(kind)
    }

    /// A type without lifetimes.
    pub const fn of<E: Error + ErrorKind + 'static>() -> Self {
        Self(|error| as_type::<E>(error).map(ErrorKind::error_kind))
    }
}

impl fmt::Debug for RegisteredKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RegisteredKind").finish_non_exhaustive()
    }
}

/// The kind of an error, without its sources, if its type is registered.
pub fn registered_kind(error: &(dyn Error + '_)) -> Option<&'static str> {
    with_pointees(error, |error| {
        caught(|| ErrorKinds::items().iter().find_map(|known| (known.0)(error))).ok().flatten()
    })
}

/// Looks at an error, and then at what it points to, as long as nothing is found.
pub fn with_pointees<R>(error: &(dyn Error + '_), look: fn(&(dyn Error + 'static)) -> Option<R>) -> Option<R> {
    fn find<R>(error: &(dyn Error + 'static), look: fn(&(dyn Error + 'static)) -> Option<R>) -> Option<R> {
        look(error).or_else(|| find(pointee(error)?, look))
    }
    ffi::with_comparable_type(error, |error| find(error, look))
}

/// The error as one of this type, also behind pointers to the type.
pub fn as_type<'e, E: Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e E> {
    let direct = error.downcast_ref::<E>();
    if size_of_val(error) != size_of::<&E>() {
        return direct;
    }
    direct
        .or_else(|| target::<&'static E>(error))
        .or_else(|| target::<Arc<E>>(error))
        .or_else(|| target::<Box<E>>(error))
}

/// The error that a pointer to `dyn Error` points to, or that `io::Error::other` wraps.
fn pointee<'e>(error: &'e (dyn Error + 'static)) -> Option<&'e (dyn Error + 'static)> {
    macro_rules! first_of {
        ($($error:ty),*) => {
            None$(.or_else(|| target::<&'static $error>(error).map(|error| error as _))
                .or_else(|| target::<Arc<$error>>(error).map(|error| error as _)))*
        };
    }
    first_of!(dyn Error + Send + Sync, dyn Error + Send, dyn Error)
        .or_else(|| Some(as_type::<std::io::Error>(error)?.get_ref()? as _))
}

/// What a pointer of this type points to, also behind a reference to the pointer.
fn target<'e, P: Deref + Error + 'static>(error: &'e (dyn Error + 'static)) -> Option<&'e P::Target> {
    let borrowed = || error.downcast_ref::<&'static P>().copied();
    error.downcast_ref::<P>().or_else(borrowed).map(Deref::deref)
}
