//! What went wrong, seen through whatever the error's type lets one see.

use std::any::type_name;
use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Display, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::event::{FailureFacts, Text};

/// A stable, low-cardinality label for an error: `LoadError::Timeout` → `timeout`.
///
/// Derive it on an enum with `#[derive(ErrorKind)]`; the label stands in `operation.error{error_type}`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no stable error kind",
    note = "put #[derive(obs_runtime::ErrorKind)] on the enum"
)]
pub trait ErrorKind {
    /// The label of this value.
    fn error_kind(&self) -> &'static str;
}

/// A borrowed error: nothing is formatted before somebody wants to read it.
#[derive(Clone, Copy)]
pub struct Failure<'v> {
    label: Option<&'static str>,
    type_name: &'static str,
    what: What<'v>,
}

#[derive(Clone, Copy)]
enum What<'v> {
    Error(&'v (dyn Error + 'static)),
    /// An error whose own type says nothing (a box, `anyhow::Error`): its root cause gives the label.
    Erased(&'v (dyn Error + 'static)),
    Display(&'v dyn Display),
    Debug(&'v dyn Debug),
    Opaque,
    Words {
        label: &'static str,
        message: &'static str,
    },
}

impl<'v> Failure<'v> {
    /// An error of a type that has a name.
    pub fn error<E: Error + 'static>(error: &'v E) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Error(error) }
    }

    /// An error of a type that hides another.
    pub fn erased<E>(error: &'v (dyn Error + 'static)) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Erased(error) }
    }

    /// Something that can be shown.
    pub fn display<E: Display>(error: &'v E) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Display(error) }
    }

    /// Something that can be shown to a programmer.
    pub fn debug<E: Debug>(error: &'v E) -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Debug(error) }
    }

    /// Something of which the type is all that can be shown.
    pub fn opaque<E>() -> Self {
        Self { label: None, type_name: type_name::<E>(), what: What::Opaque }
    }

    /// A failure without an error value.
    pub const fn words(label: &'static str, message: &'static str) -> Self {
        Self { label: None, type_name: "", what: What::Words { label, message } }
    }

    /// The same failure under the label that its [`ErrorKind`] gives, if it has one.
    #[must_use]
    pub fn labelled(mut self, label: Option<&'static str>) -> Self {
        self.label = label.or(self.label);
        self
    }

    /// What a program exits with that ends by this failure.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match self.what {
            What::Error(error) => error.downcast_ref::<ExitFailure>().map_or(1, |failure| failure.0),
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
            What::Erased(error) => type_of_root(error),
            What::Words { label, .. } => Cow::Borrowed(label),
            What::Error(_) | What::Display(_) | What::Debug(_) | What::Opaque => short_name(self.type_name),
        }
    }

    /// All of it, formatted. A `Display` or `Debug` that panics costs its text, nothing else.
    #[must_use]
    pub fn facts(&self) -> FailureFacts<'static> {
        let message = match self.what {
            What::Error(error) | What::Erased(error) => shown(&error),
            What::Display(value) => shown(&value),
            What::Debug(value) => shown(&format_args!("{value:?}")),
            What::Opaque => format!("a value of type {}", self.type_name),
            What::Words { message, .. } => message.to_owned(),
        };
        FailureFacts { error_type: self.error_type(), message: message.into(), sources: self.sources() }
    }

    fn sources(&self) -> Vec<Text<'static>> {
        match self.what {
            What::Error(error) | What::Erased(error) => {
                chain(error).skip(1).map(|source| shown(&source).into()).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Debug for Failure<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Failure").field("error_type", &self.error_type()).finish_non_exhaustive()
    }
}

/// An exit code that says that the program failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("exit code {0}")]
pub struct ExitFailure(u8);

impl ExitFailure {
    /// What an exit code says, if it is not success.
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
        // An `ExitCode` does not give its number away, but can be compared.
        FAILURES.iter().find(|failure| code == std::process::ExitCode::from(failure.0))
    }
}

/// What stands where a value was to be, and was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no value was returned")]
pub struct NoValue;

/// Formats a user's value; a panic inside costs the text only.
pub fn shown(value: &dyn Display) -> String {
    let mut text = String::new();
    match catch_unwind(AssertUnwindSafe(|| write!(text, "{value}"))) {
        Ok(Ok(())) => text,
        Ok(Err(_)) => text + "<failed while formatting>",
        Err(_) => "<panicked while formatting>".to_owned(),
    }
}

/// An error and its sources, outermost first. It ends where telling the source panics.
fn chain<'e>(error: &'e (dyn Error + 'static)) -> impl Iterator<Item = &'e (dyn Error + 'static)> {
    // An error may name itself as its source; nobody reads further than this.
    const MOST: usize = 33;
    let source = |error: &'e (dyn Error + 'static)| catch_unwind(AssertUnwindSafe(|| error.source())).ok().flatten();
    std::iter::successors(Some(error), move |error| source(*error)).take(MOST)
}

/// The name of a type without its path and parameters: `LoadError`; `io.Error` where the name alone says nothing.
fn short_name(full: &'static str) -> Text<'static> {
    let path = full.split(['<', ' ']).next().unwrap_or(full).trim_start_matches(['&', '(']);
    let mut segments = path.rsplit("::");
    let last = segments.next().filter(|name| !name.is_empty()).unwrap_or("unknown");
    match segments.find(|module| *module != "error") {
        Some(module) if last == "Error" => Cow::Owned(format!("{module}.{last}")),
        _ => Cow::Borrowed(last),
    }
}

/// The type of the innermost source. A `dyn Error` does not tell its type, but a derived `Debug` begins with its name
/// (or its variant's); standard errors that do not are known by sight.
fn type_of_root(error: &(dyn Error + 'static)) -> Text<'static> {
    let root = chain(error).last().unwrap_or(error);
    if root.is::<std::io::Error>() {
        return Cow::Borrowed("io.Error");
    }
    let mut name = LeadingName(String::new());
    // Ends with an error as soon as the name is over.
    let _ = catch_unwind(AssertUnwindSafe(|| write!(name, "{root:?}")));
    if name.0.starts_with(char::is_alphabetic) { Cow::Owned(name.0) } else { Cow::Borrowed("Error") }
}

/// Keeps what looks like an identifier at the beginning of what is written, and refuses the rest.
struct LeadingName(String);

impl Write for LeadingName {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if !(letter.is_alphanumeric() || letter == '_') || self.0.len() > 60 {
                return Err(fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
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
    fn an_error_tells_its_type_and_its_sources() {
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
    fn a_name_that_says_nothing_keeps_its_module() {
        assert_eq!(short_name(type_name::<std::io::Error>()), "io.Error");
        assert_eq!(short_name(type_name::<Option<Outer>>()), "Option");
    }

    #[test]
    fn a_display_that_panics_costs_its_text_only() {
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
