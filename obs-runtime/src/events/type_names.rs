//! Names of error types.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Write};

use crate::base::text;
use crate::events::field::Text;
use crate::events::panics::caught;

/// Pointers whose `Debug` and `Display` are those of the value that they point to.
const POINTERS: [&str; 3] = ["alloc::sync::Arc<", "alloc::boxed::Box<", "alloc::rc::Rc<"];

/// Strips pointers from a type name.
pub fn pointee(full: &'static str) -> &'static str {
    let inner = POINTERS.iter().find_map(|pointer| full.strip_prefix(pointer)?.strip_suffix('>'));
    inner.map_or(full, pointee)
}

/// The name of a type without pointers, path and parameters, such as `LoadError`. A type called `Error` is prefixed with its
/// module: `io.Error`.
pub fn short_name(full: &'static str) -> Text<'static> {
    let name = pointee(full).trim_start_matches(['&', '(']);
    // Searches bytes, as this runs for every captured error.
    let end = name.bytes().position(|byte| matches!(byte, b'<' | b' ')).unwrap_or(name.len());
    let mut segments = Segments(text::until(name, end));
    let last = segments.next().unwrap_or("unknown");
    match segments.find(|module| *module != "error") {
        Some(module) if last == "Error" => Cow::Owned(format!("{module}.{last}")),
        _ => Cow::Borrowed(last),
    }
}

/// The segments of a path, last one first.
struct Segments<'n>(&'n str);

impl<'n> Iterator for Segments<'n> {
    type Item = &'n str;

    fn next(&mut self) -> Option<&'n str> {
        let path = self.0.trim_end_matches(':');
        let begin = path.bytes().rposition(|byte| byte == b':').map_or(0, |colon| colon + 1);
        self.0 = text::until(path, begin);
        Some(text::from(path, begin)).filter(|segment| !segment.is_empty())
    }
}

/// The type name of an error. A `dyn Error` does not expose its type, but a derived `Debug` starts with the name of the type
/// or variant. `io::Error` has no derived `Debug` and is recognised by its type.
pub fn name_of(error: &(dyn Error + 'static)) -> Text<'static> {
    if error.is::<std::io::Error>() {
        return Cow::Borrowed("io.Error");
    }
    leading_name(&error)
}

/// The name that a derived `Debug` starts with.
pub fn leading_name(error: &dyn Debug) -> Text<'static> {
    let mut name = LeadingName(String::new());
    // Fails as soon as the name ends.
    let _ = caught(|| write!(name, "{error:?}"));
    if name.0.starts_with(char::is_alphabetic) { Cow::Owned(name.0) } else { Cow::Borrowed("Error") }
}

/// Keeps the identifier at the start of the output and fails at the first character after it.
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
