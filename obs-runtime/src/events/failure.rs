//! What can be said of an error, as far as its type allows.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display, Write};
use std::sync::Arc;

use crate::events::event::FailureFacts;
use crate::events::field::Text;
use crate::events::panics::caught;
use crate::events::report::Cause;
use crate::events::type_names::{leading_name, name_of, pointee, short_name};

/// A stable, low-cardinality label for an error: `LoadError::Timeout` → `timeout`.
///
/// Derive it on an enum with `#[derive(ErrorKind)]`. The label is the `error_type` of `operation.error`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no stable error kind",
    note = "put #[derive(obs_runtime::ErrorKind)] on the enum"
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

/// A borrowed error. Nothing is formatted until it is read.
#[derive(Clone, Copy)]
pub struct Failure<'v> {
    label: Option<&'static str>,
    pub(super) type_name: &'static str,
    pub(super) what: What<'v>,
}

#[derive(Clone, Copy)]
pub(super) enum What<'v> {
    Exit(&'v ExitFailure),
    /// An error behind a type that hides it (a box, `anyhow::Error`): its root cause gives the label.
    Erased(&'v (dyn Error + 'static)),
    /// An error that need not be `'static`. Its sources are.
    Borrowed(Borrowed<'v>),
    Display(&'v dyn Display),
    Debug(&'v dyn Debug),
    Opaque,
    Words {
        label: &'static str,
        message: &'static str,
    },
}

#[derive(Clone, Copy)]
pub(super) struct Borrowed<'v> {
    error: &'v (dyn Error + 'v),
    /// Its address and size.
    pub(super) place: (usize, usize),
}

impl<'v> Borrowed<'v> {
    fn source(&self) -> Option<&'v (dyn Error + 'static)> {
        caught(|| self.error.source()).ok().flatten()
    }
}

impl<'v> Failure<'v> {
    /// An error that may be a `dyn Error`, behind one more reference.
    pub fn borrowed<E: Error + ?Sized>(error: &'v &'v E) -> Self {
        let place = (std::ptr::from_ref(*error).cast::<()>().addr(), size_of_val(*error));
        Self { label: None, type_name: type_name::<E>(), what: What::Borrowed(Borrowed { error, place }) }
    }

    /// An error of a concrete type.
    pub fn error<E: Error>(error: &'v E) -> Self {
        let place = (std::ptr::from_ref(error).addr(), size_of::<E>());
        Self { label: None, type_name: type_name::<E>(), what: What::Borrowed(Borrowed { error, place }) }
    }

    /// A box of an error that need not be `'static`.
    pub fn boxed(error: &'v (dyn Error + 'v)) -> Self {
        let place = (std::ptr::from_ref(error).cast::<()>().addr(), size_of_val(error));
        Self { label: None, type_name: type_name::<dyn Error>(), what: What::Borrowed(Borrowed { error, place }) }
    }

    /// An exit code.
    pub fn exit(failure: &'v ExitFailure) -> Self {
        Self { label: None, type_name: type_name::<ExitFailure>(), what: What::Exit(failure) }
    }

    /// An error behind a type that hides it.
    pub fn erased<E>(error: &'v (dyn Error + 'static)) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Erased(error) }
    }

    /// A value with `Display`.
    pub fn display<E: Display>(error: &'v E) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Display(error) }
    }

    /// A value with `Debug`.
    pub fn debug<E: Debug>(error: &'v E) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Debug(error) }
    }

    /// A value of which only the type is known.
    pub fn opaque<E>() -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Opaque }
    }

    /// A failure without an error value.
    pub const fn words(label: &'static str, message: &'static str) -> Self {
        Self { label: None, type_name: "", what: What::Words { label, message } }
    }

    /// The same failure with the label of its [`ErrorKind`], if it has one.
    #[must_use]
    pub fn labelled(mut self, label: Option<&'static str>) -> Self {
        self.label = label.or(self.label);
        self
    }

    /// The exit code of a program that ends by this failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.what {
            What::Exit(failure) => failure.0,
            _ => 1,
        }
    }

    /// The label for metrics.
    #[must_use]
    pub fn error_type(&self) -> Text<'static> {
        if let Some(label) = self.label {
            return Cow::Borrowed(label);
        }
        match self.what {
            What::Erased(error) => name_of(root(error)),
            What::Borrowed(borrowed) if self.points_to_what_hides_its_type() => {
                borrowed.source().map_or_else(|| leading_name(&borrowed.error), |source| name_of(root(source)))
            }
            What::Words { label, .. } => Cow::Borrowed(label),
            What::Exit(_) | What::Borrowed(_) | What::Display(_) | What::Debug(_) | What::Opaque => {
                short_name(self.type_name)
            }
        }
    }

    pub(super) fn hides_its_type(&self) -> bool {
        self.type_name.starts_with("dyn ")
    }

    /// As an `Arc<dyn Error>` does.
    fn points_to_what_hides_its_type(&self) -> bool {
        pointee(self.type_name).starts_with("dyn ")
    }

    /// The formatted error. A `Display` or `Debug` that panics is replaced by a note.
    #[must_use]
    pub fn facts(&self) -> FailureFacts<'static> {
        FailureFacts {
            error_type: self.error_type(),
            message: self.message().into(),
            sources: self.chain().skip(1).map(|source| shown(&source).into()).collect(),
        }
    }

    fn message(&self) -> String {
        match self.what {
            What::Exit(failure) => shown(failure),
            What::Erased(error) => shown(&error),
            What::Borrowed(borrowed) => shown(&borrowed.error),
            What::Display(value) => shown(&value),
            What::Debug(value) => shown(&format_args!("{value:?}")),
            What::Opaque => format!("a value of type {}", self.type_name),
            What::Words { message, .. } => message.to_owned(),
        }
    }

    /// The error and its sources. The first item is the error itself, or represents it.
    pub(super) fn chain(&self) -> impl Iterator<Item = &'v (dyn Error + 'static)> {
        let (first, skipped) = match self.what {
            What::Erased(error) => (Some(error), None),
            What::Borrowed(borrowed) => (borrowed.source(), borrowed.source()),
            _ => (None, None),
        };
        skipped.into_iter().chain(first.into_iter().flat_map(chain))
    }

    /// The error and its sources with the names of their types, outermost first.
    pub(super) fn causes(&self) -> Vec<Cause<'static>> {
        let type_name = match self.what {
            What::Erased(error) => name_of(error),
            What::Borrowed(borrowed) if self.points_to_what_hides_its_type() => leading_name(&borrowed.error),
            What::Words { label, .. } => Cow::Borrowed(label),
            _ => short_name(self.type_name),
        };
        let first = Cause { type_name, message: self.message().into() };
        let sources = self.chain().skip(1);
        let sources = sources.map(|source| Cause { type_name: name_of(source), message: shown(&source).into() });
        std::iter::once(first).chain(sources).collect()
    }
}

impl Debug for Failure<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Failure").field("error_type", &self.error_type()).finish_non_exhaustive()
    }
}

/// An exit code other than success.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exit code {0}")]
pub struct ExitFailure(u8);

impl ExitFailure {
    /// The failure of an exit code, if it is one.
    #[must_use]
    pub fn of(code: std::process::ExitCode) -> Option<&'static Self> {
        static FAILURES: [ExitFailure; 255] = {
            let mut failures = [ExitFailure(0); 255];
            let mut index = 0;
            while index < failures.len() {
                #[expect(clippy::cast_possible_truncation, reason = "255 at most")]
                {
                    failures[index] = ExitFailure(index as u8 + 1);
                }
                index += 1;
            }
            failures
        };
        // The number of an `ExitCode` is private, but codes can be compared.
        FAILURES.iter().find(|failure| code == std::process::ExitCode::from(failure.0))
    }
}

/// The error of a `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value was returned")]
pub struct NoValue;

/// Formats a value of the program's. A panic inside is replaced by a note.
pub fn shown(value: &dyn Display) -> String {
    let mut text = String::new();
    match caught(|| write!(text, "{value}")) {
        Ok(Ok(())) => text,
        Ok(Err(_)) => text + "<failed while formatting>",
        Err(_) => "<panicked while formatting>".to_owned(),
    }
}

/// An error and its sources, outermost first. It ends where `source` panics.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    // An error may return itself as its source.
    const MAX_LENGTH: usize = 33;
    let source = |error: &'e (dyn Error + 'static)| caught(|| error.source()).ok().flatten();
    std::iter::successors(Some(error), move |error| source(*error)).take(MAX_LENGTH)
}

fn root<'e>(error: &'e (dyn Error + 'static)) -> &'e (dyn Error + 'static) {
    chain(error).last().unwrap_or(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Outer(std::num::ParseIntError);

    impl Display for Outer {
        fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("row 3 is bad")
        }
    }

    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }

    fn outer() -> Outer {
        Outer("x".parse::<i32>().unwrap_err())
    }

    #[test]
    fn an_error_has_its_type_and_its_sources() {
        let error = outer();
        let facts = Failure::error(&error).facts();
        assert_eq!((&*facts.error_type, &*facts.message), ("Outer", "row 3 is bad"));
        assert_eq!(facts.sources, ["invalid digit found in string"]);
    }

    #[test]
    fn an_erased_error_is_labelled_by_its_root() {
        let error: Box<dyn Error> = Box::new(outer());
        assert_eq!(Failure::erased::<Box<dyn Error>>(&*error).error_type(), "ParseIntError");
        let words: Box<dyn Error> = "just words".into();
        assert_eq!(Failure::erased::<Box<dyn Error>>(&*words).error_type(), "Error");
    }

    #[test]
    fn a_name_without_meaning_keeps_its_module() {
        assert_eq!(short_name(type_name::<std::io::Error>()), "io.Error");
        assert_eq!(short_name(type_name::<Option<Outer>>()), "Option");
    }

    #[test]
    fn a_pointer_has_the_name_of_its_target() {
        let shared = Arc::new(Box::new(outer()));
        assert_eq!(Failure::error(&shared).error_type(), "Outer");
        let hidden: Arc<dyn Error + Send + Sync> = Arc::new(outer());
        let failure = Failure::error(&hidden);
        assert_eq!((&*failure.error_type(), &*failure.causes()[0].type_name), ("ParseIntError", "Outer"));
        assert_eq!(short_name(type_name::<Arc<Vec<u8>>>()), "Vec");
    }

    #[test]
    fn a_display_that_panics_is_replaced() {
        struct Bad;
        impl Display for Bad {
            fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
                panic!("no")
            }
        }
        assert_eq!(Failure::display(&Bad).facts().message, "<panicked while formatting>");
    }

    #[test]
    fn a_source_that_panics_ends_the_chain() {
        #[derive(Debug)]
        struct Bad;
        impl Display for Bad {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("bad")
            }
        }
        impl Error for Bad {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                panic!("no")
            }
        }
        let facts = Failure::error(&Bad).facts();
        assert_eq!((&*facts.error_type, &*facts.message, facts.sources.len()), ("Bad", "bad", 0));
        assert_eq!(Failure::erased::<Box<dyn Error>>(&Bad).facts().error_type, "Bad");
    }
}
