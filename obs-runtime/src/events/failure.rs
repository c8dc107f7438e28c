//! What can be said of an error, as far as its type allows.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display, Write};

use crate::events::error_kind::registered_kind;
use crate::events::failure_facts::FailureFacts;
use crate::events::field::Text;
use crate::events::panics::caught;
use crate::events::report::Cause;
use crate::events::type_names::{HIDDEN_TYPE, is_span_trace, label, name_of, short_name};

/// A borrowed error. Nothing is formatted until it is read.
#[derive(Clone, Copy)]
pub struct Failure<'v> {
    kind: Option<&'static str>,
    exit_code: u8,
    pub(super) type_name: &'static str,
    pub(super) what: What<'v>,
}

#[derive(Clone, Copy)]
pub(super) enum What<'v> {
    Error(Seen<'v>),
    Display(&'v dyn Display),
    Debug(&'v dyn Debug),
    Opaque,
    Words(&'static str),
}

/// An error and where it is.
#[derive(Clone, Copy)]
pub(super) struct Seen<'v> {
    pub(super) error: &'v (dyn Error + 'v),
    /// Its address and size.
    pub(super) place: (usize, usize),
    /// Whether it is behind a pointer that hides its type.
    pub(super) is_boxed: bool,
}

impl<'v> Failure<'v> {
    fn new<E: ?Sized>(what: What<'v>) -> Self {
        Self { kind: None, exit_code: 1, type_name: type_name::<E>(), what }
    }

    /// An error that may be a `dyn Error`, behind one more reference.
    pub fn borrowed<E: Error + ?Sized>(error: &'v &'v E) -> Self {
        let is_boxed = type_name::<E>().starts_with("dyn ");
        Self::new::<E>(What::Error(Seen { error, place: place(*error), is_boxed }))
    }

    /// An error of a concrete type.
    pub fn error<E: Error>(error: &'v E) -> Self {
        Self::new::<E>(What::Error(Seen { error, place: place(error), is_boxed: false }))
    }

    /// An error behind a type that hides it: a box, `anyhow::Error`.
    pub fn boxed<E: ?Sized>(error: &'v (dyn Error + 'v)) -> Self {
        Self::new::<E>(What::Error(Seen { error, place: place(error), is_boxed: true }))
    }

    /// An exit code.
    pub fn exit(failure: &'v ExitFailure) -> Self {
        Self { exit_code: failure.0, ..Self::error(failure) }
    }

    /// A value with `Display`.
    pub fn display<E: Display>(error: &'v E) -> Self {
        Self::new::<E>(What::Display(error))
    }

    /// A value with `Debug`.
    pub fn debug<E: Debug>(error: &'v E) -> Self {
        Self::new::<E>(What::Debug(error))
    }

    /// A value of which only the type is known.
    pub fn opaque<E>() -> Self {
        Self::new::<E>(What::Opaque)
    }

    /// A failure without an error value.
    pub const fn words(kind: &'static str, message: &'static str) -> Self {
        Self { kind: Some(kind), exit_code: 1, type_name: kind, what: What::Words(message) }
    }

    /// The same failure with its [`ErrorKind`](crate::ErrorKind), if the static type of the error has one.
    #[must_use]
    pub fn with_kind(mut self, kind: Option<&'static str>) -> Self {
        self.kind = kind.or(self.kind);
        self
    }

    /// The exit code of a program that ends by this failure.
    #[must_use]
    pub const fn exit_code(&self) -> u8 {
        self.exit_code
    }

    /// The one label of the error, in every log line, metric and event: its kind, else the kind of its first source that has
    /// one, else the name of the last source's type.
    #[must_use]
    pub fn error_type(&self) -> Text<'static> {
        let kind = self.kind.or_else(|| self.chain().find_map(registered_kind)).map(Cow::Borrowed);
        label(kind.unwrap_or_else(|| self.root_name()))
    }

    /// The name of the last source, or of the error itself if it has none.
    fn root_name(&self) -> Text<'static> {
        let (mut last, mut before) = (None, None);
        for source in self.chain().skip(1) {
            before = last.replace(source);
        }
        let Some(root) = last else { return self.name() };
        // Looked at only if it has no name, as its text is formatted for that.
        name_of(root).unwrap_or_else(|| match before {
            _ if !is_span_trace(root) => Cow::Borrowed(HIDDEN_TYPE),
            Some(before) => source_name(before),
            None => self.name(),
        })
    }

    /// The sources of the error, outermost first.
    fn sources(&self) -> impl Iterator<Item = &'v (dyn Error + 'v)> {
        self.chain().skip(1).filter(|source| !is_span_trace(*source))
    }

    /// What the error is called wherever only its value is known: by an enum's variant rather than by its type.
    fn name(&self) -> Text<'static> {
        let name = if let What::Error(Seen { error, .. }) = self.what { name_of(error) } else { None };
        name.unwrap_or_else(|| self.type_name())
    }

    /// The name of the error's own type, as far as it is known.
    fn type_name(&self) -> Text<'static> {
        match self.what {
            What::Error(Seen { error, is_boxed: true, .. }) => source_name(error),
            What::Error(Seen { error, .. }) => {
                let name = short_name(self.type_name);
                if name == HIDDEN_TYPE { source_name(error) } else { name }
            }
            _ => short_name(self.type_name),
        }
    }

    /// The formatted error. A `Display` or `Debug` that panics is replaced by a note.
    #[must_use]
    pub fn facts(&self) -> FailureFacts<'static> {
        FailureFacts {
            error_type: self.error_type(),
            message: self.message().into(),
            sources: self.sources().map(|source| shown(&source).into()).collect(),
        }
    }

    fn message(&self) -> String {
        match self.what {
            What::Error(Seen { error, .. }) => shown(&error),
            What::Display(value) => shown(&value),
            What::Debug(value) => shown(&format_args!("{value:?}")),
            What::Opaque => format!("a value of type {}", self.type_name),
            What::Words(message) => message.to_owned(),
        }
    }

    /// The error and its sources, outermost first. It ends where `source` panics.
    pub(super) fn chain(&self) -> impl Iterator<Item = &'v (dyn Error + 'v)> {
        // An error may return itself as its source.
        const MAX_LENGTH: usize = 33;
        let first = if let What::Error(Seen { error, .. }) = self.what { Some(error) } else { None };
        let source = |error: &'v (dyn Error + 'v)| -> Option<&'v (dyn Error + 'v)> {
            caught(|| error.source()).ok().flatten().map(|source| source as _)
        };
        std::iter::successors(first, move |error| source(*error)).take(MAX_LENGTH)
    }

    /// The error and its sources with the names of their types, outermost first.
    pub(super) fn causes(&self) -> Vec<Cause<'static>> {
        let first = Cause { type_name: self.type_name(), message: self.message().into() };
        let sources =
            self.sources().map(|source| Cause { type_name: source_name(source), message: shown(&source).into() });
        std::iter::once(first).chain(sources).collect()
    }
}

impl Debug for Failure<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Failure").field("error_type", &self.error_type()).finish_non_exhaustive()
    }
}

/// The address and the size of a value.
pub(super) fn place<E: ?Sized>(value: &E) -> (usize, usize) {
    (std::ptr::from_ref(value).cast::<()>().addr(), size_of_val(value))
}

fn source_name(source: &(dyn Error + '_)) -> Text<'static> {
    name_of(source).unwrap_or(Cow::Borrowed(HIDDEN_TYPE))
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

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
    fn an_error_is_labelled_by_its_root_however_it_comes() {
        let error = outer();
        let boxed: Box<dyn Error> = Box::new(outer());
        let shared: Arc<dyn Error + Send + Sync> = Arc::new(outer());
        let pointers = Arc::new(Box::new(outer()));
        for failure in [
            Failure::error(&error),
            Failure::borrowed(&&error),
            Failure::borrowed(&&*boxed),
            Failure::boxed::<Box<dyn Error>>(&*boxed),
            Failure::error(&shared),
            Failure::error(&pointers),
        ] {
            let facts = failure.facts();
            assert_eq!((&*facts.error_type, &*facts.message), ("ParseIntError", "row 3 is bad"));
            assert_eq!(facts.sources, ["invalid digit found in string"]);
            assert_eq!(failure.causes()[0].type_name, "Outer");
        }
    }

    #[test]
    fn an_error_without_a_name_has_that_of_its_type_or_none() {
        let words: Box<dyn Error> = "just words".into();
        assert_eq!(Failure::boxed::<Box<dyn Error>>(&*words).error_type(), "Error");
        let shared: Arc<dyn Error> = words.into();
        assert_eq!(Failure::error(&shared).error_type(), "Error");
        assert_eq!(Failure::display(&"just words").error_type(), "str");
        assert_eq!(Failure::words("not_ok", "it is not ok").error_type(), "not_ok");
    }

    #[test]
    fn the_spans_that_tracing_error_adds_are_no_source() {
        /// As `tracing_error::TracedError`, whose source is the spans.
        struct Traced(Outer, Spans);
        struct Spans(Option<Outer>);

        impl Debug for Spans {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                Display::fmt(self, formatter)
            }
        }

        impl Debug for Traced {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                Debug::fmt(&self.0, formatter)
            }
        }

        impl Display for Traced {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                Display::fmt(&self.0, formatter)
            }
        }

        impl Error for Traced {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                Some(&self.1)
            }
        }

        impl Display for Spans {
            fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("span backtrace:\n   0: job")
            }
        }

        impl Error for Spans {
            fn source(&self) -> Option<&(dyn Error + 'static)> {
                self.0.as_ref()?.source()
            }
        }

        let without_source = Traced(outer(), Spans(None));
        let facts = Failure::error(&without_source).facts();
        assert_eq!((&*facts.error_type, &*facts.message, facts.sources.len()), ("Outer", "row 3 is bad", 0));
        assert_eq!(Failure::error(&without_source).causes().len(), 1);
        let with_source = Traced(outer(), Spans(Some(outer())));
        let facts = Failure::error(&with_source).facts();
        assert_eq!(
            (&*facts.error_type, facts.sources),
            ("ParseIntError", vec!["invalid digit found in string".into()])
        );
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
        assert_eq!(Failure::boxed::<Box<dyn Error>>(&Bad).facts().error_type, "Bad");
    }
}
