//! Names of error types.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Write};
use std::io;

use crate::base::text;
use crate::events::error_kind::{as_type, with_pointees};
use crate::events::field::Text;
use crate::events::panics::caught;

/// What stands before the name of the first type in a type's name: pointers, whose `Debug` and `Display` are those of the
/// value that they point to, and brackets.
const PREFIXES: [&str; 11] = [
    "alloc::sync::Arc<",
    "alloc::boxed::Box<",
    "alloc::rc::Rc<",
    "tracing_error::error::TracedError<",
    "&",
    "(",
    "[",
    "*const ",
    "*mut ",
    "mut ",
    "dyn ",
];

/// The name of `dyn Error`.
pub const HIDDEN_TYPE: &str = "Error";

/// The name of a type without pointers, path and parameters, such as `LoadError`. A type called `Error` is prefixed with its
/// module: `io_Error`. Of a tuple or a slice it is the name of the first type in it.
pub fn short_name(full: &str) -> Text<'_> {
    let mut name = full;
    while let Some(rest) = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)) {
        name = rest;
    }
    let path = text::until(name, end_of_path(name));
    let mut segments = path.rsplit(':').filter(|segment| !segment.is_empty());
    let last = segments.next().unwrap_or("unknown");
    match segments.find(|module| *module != "error") {
        Some(module) if last == "Error" && path != "core::error::Error" => Cow::Owned(format!("{module}_{last}")),
        _ => Cow::Borrowed(last),
    }
}

fn end_of_path(text: &str) -> usize {
    text.find(|letter: char| !(letter.is_alphanumeric() || matches!(letter, '_' | ':'))).unwrap_or(text.len())
}

/// The name of an error that is known by its value alone: what its derived `Debug` starts with, which is the name of the
/// type or of the enum's variant. A type called `Error` has the name of what it holds: `Io` for `Error(Io(…))` of csv,
/// `DatabaseBusy` for `Error { code: DatabaseBusy, … }` of SQLite. `None` if its `Debug` is of another form, or tells no more than
/// `Error`.
pub fn name_of(error: &(dyn Error + '_)) -> Option<Text<'static>> {
    with_pointees(error, foreign_name).map(Cow::Borrowed).or_else(|| {
        let mut start = Start(String::new());
        // Fails as soon as the start is complete.
        let _ = caught(|| write!(start, "{error:?}"));
        let name = match short_name(derived_name(&start.0)?) {
            name if name == HIDDEN_TYPE => Cow::Borrowed(held_name(&start.0)?),
            name => name,
        };
        Some(name.into_owned().into())
    })
}

/// The names of known types whose `Debug` does not tell them.
fn foreign_name(error: &(dyn Error + 'static)) -> Option<&'static str> {
    as_type::<io::Error>(error)
        .map(|_| "io_Error")
        .or_else(|| as_type::<fmt::Error>(error).map(|_| "fmt_Error"))
        .or_else(|| as_type::<serde_json::Error>(error).map(|_| "serde_json_Error"))
}

/// Whether it is what a `TracedError` of `tracing-error` has as its source: the spans in which the error was made, and no error.
pub fn is_span_trace(error: &(dyn Error + '_)) -> bool {
    let mut start = Start(String::new());
    let _ = caught(|| write!(start, "{error}"));
    start.0.starts_with("span backtrace:\n")
}

/// The path at the start of what a derived `Debug` writes: `Name`, `Name(…)`, `Name { … }`, `module::Name { … }`.
fn derived_name(start: &str) -> Option<&str> {
    let end = end_of_path(start);
    let (path, rest) = (text::until(start, end), text::from(start, end));
    let is_derived = rest.starts_with('(') || rest.starts_with(" {") || rest.is_empty() && start.len() < Start::FULL;
    let last = path.rsplit(':').next()?;
    (is_derived && last.starts_with(char::is_uppercase)).then_some(path)
}

/// The name of the first value that a type called `Error` holds: `Io` in `Error(Io(…))` and in `Error { kind: Io, … }`.
fn held_name(start: &str) -> Option<&str> {
    let held = start.strip_prefix("Error(").or_else(|| {
        let (field, held) = start.strip_prefix("Error { ")?.split_once(": ")?;
        field.chars().all(|letter| letter.is_alphanumeric() || letter == '_').then_some(held)
    })?;
    let end = end_of_path(held);
    let (path, rest) = (text::until(held, end), text::from(held, end));
    let is_derived = ["(", " {", ")", ",", " }"].iter().any(|next| rest.starts_with(next));
    let last = path.rsplit(':').next()?;
    let says_something = !matches!(last, "Error" | "Some" | "None" | "Ok" | "Err");
    (is_derived && says_something && last.starts_with(char::is_uppercase)).then_some(last)
}

/// Keeps the start of a text, and fails as soon as it is long enough.
struct Start(String);

impl Start {
    /// From this length on, in bytes, nothing more is kept.
    const FULL: usize = 100;
}

impl Write for Start {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.0.extend(more.chars().take(Self::FULL.saturating_sub(self.0.len())));
        // What `Error` holds is needed too.
        let is_named =
            self.0.contains(['(', '{']) && !["Error(", "Error {"].iter().any(|name| self.0.starts_with(name));
        let is_complete = is_named || self.0.len() >= Self::FULL;
        if is_complete { Err(fmt::Error) } else { Ok(()) }
    }
}

/// A text as a label: `[A-Za-z_][A-Za-z0-9_]*`. Other characters become `_`.
pub fn label(name: Text<'static>) -> Text<'static> {
    let is_allowed = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    let starts_well = !name.starts_with(|letter: char| letter.is_ascii_digit()) && !name.is_empty();
    if starts_well && name.chars().all(is_allowed) {
        return name;
    }
    let letters = name.chars().map(|letter| if is_allowed(letter) { letter } else { '_' });
    let prefix = (!starts_well).then_some('_');
    Cow::Owned(prefix.into_iter().chain(letters).collect())
}

#[cfg(test)]
mod tests {
    use std::any::type_name;
    use std::fmt::Display;
    use std::num::ParseIntError;
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_type_has_a_short_name() {
        for (full, short) in [
            (type_name::<io::Error>(), "io_Error"),
            (type_name::<fmt::Error>(), "fmt_Error"),
            (type_name::<serde_json::Error>(), "serde_json_Error"),
            (type_name::<Option<ParseIntError>>(), "Option"),
            (type_name::<Arc<Vec<u8>>>(), "Vec"),
            (type_name::<Box<Arc<ParseIntError>>>(), "ParseIntError"),
            (type_name::<(ParseIntError, String)>(), "ParseIntError"),
            (type_name::<(Box<ParseIntError>, String)>(), "ParseIntError"),
            (type_name::<&'static ParseIntError>(), "ParseIntError"),
            (type_name::<&mut ParseIntError>(), "ParseIntError"),
            (type_name::<*const ParseIntError>(), "ParseIntError"),
            (type_name::<[ParseIntError; 3]>(), "ParseIntError"),
            (type_name::<Box<dyn Display>>(), "Display"),
            (type_name::<Box<dyn Display + Send + Sync>>(), "Display"),
            (type_name::<Arc<dyn Error + Send>>(), "Error"),
            (type_name::<String>(), "String"),
            (type_name::<&str>(), "str"),
            (type_name::<()>(), "unknown"),
            ("a::b::{{closure}}", "b"),
        ] {
            assert_eq!(short_name(full), short, "{full}");
        }
    }

    #[test]
    fn only_a_derived_debug_names_a_type() {
        for (debug, name) in [
            ("Timeout", Some("Timeout")),
            ("Timeout(30)", Some("Timeout")),
            ("BadRow { row: 3 }", Some("BadRow")),
            ("reqwest::Error { kind: Decode }", Some("reqwest::Error")),
            ("JoinError::Cancelled(Id(1))", Some("JoinError::Cancelled")),
            ("row 3 is bad", None),
            ("Row 3 is bad", None),
            ("Row: 3", None),
            ("row", None),
            ("\"just words\"", None),
            ("", None),
        ] {
            assert_eq!(derived_name(debug), name, "{debug}");
        }
        assert_eq!(derived_name(&"A".repeat(100)), None);
    }

    #[test]
    fn a_type_called_error_is_named_by_what_it_holds() {
        for (debug, name) in [
            ("Error(Io(Os { code: 2 }))", Some("Io")),
            ("Error(UnequalLengths { pos: None })", Some("UnequalLengths")),
            ("Error(Timeout)", Some("Timeout")),
            ("Error(Timeout, 3)", Some("Timeout")),
            ("Error { code: DatabaseBusy, extended_code: 5 }", Some("DatabaseBusy")),
            ("Error { kind: Closed }", Some("Closed")),
            ("Error { inner: toml::TomlError { line: 1 } }", Some("TomlError")),
            ("Error { cause: None }", None),
            ("Error { cause: Some(Timeout) }", None),
            ("Error(\"expected value\", line: 1)", None),
            ("Error(3)", None),
            ("Error { line: 3, kind: Closed }", None),
            ("Error { kind: Half of a", None),
            ("Error(Error)", None),
            ("Error", None),
            ("Errors(Io)", None),
        ] {
            assert_eq!(held_name(debug), name, "{debug}");
        }
    }

    #[test]
    fn a_label_has_only_allowed_characters() {
        for (name, safe) in [
            ("io.Error", "io_Error"),
            ("a b,c", "a_b_c"),
            ("7up", "_7up"),
            ("Größe", "Gr__e"),
            ("", "_"),
            ("a1_", "a1_"),
        ] {
            assert_eq!(label(Cow::Borrowed(name)), safe);
        }
    }
}
