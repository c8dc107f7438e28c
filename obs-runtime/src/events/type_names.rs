//! Names of errors' types, as far as they can be told.

use std::borrow::Cow;
use std::error::Error;
use std::fmt::{self, Debug, Write};

use crate::events::field::Text;
use crate::events::panics::caught;

/// Pointers that say what the value says that they point to.
const POINTERS: [&str; 3] = ["alloc::sync::Arc<", "alloc::boxed::Box<", "alloc::rc::Rc<"];

/// The name of the type that a pointer points to; that of any other type itself.
pub fn pointee(full: &'static str) -> &'static str {
    let inner = POINTERS.iter().find_map(|pointer| full.strip_prefix(pointer)?.strip_suffix('>'));
    inner.map_or(full, pointee)
}

/// The name of a type without its path and parameters: `LoadError`; `io.Error` where the name alone says nothing. That of a
/// pointer is the one of what it points to.
pub fn short_name(full: &'static str) -> Text<'static> {
    let name = pointee(full).trim_start_matches(['&', '(']);
    // By bytes, as each error that is captured asks for it.
    let end = name.bytes().position(|byte| matches!(byte, b'<' | b' ')).unwrap_or(name.len());
    let mut segments = Segments(&name[..end]);
    let last = segments.next().unwrap_or("unknown");
    match segments.find(|module| *module != "error") {
        Some(module) if last == "Error" => Cow::Owned(format!("{module}.{last}")),
        _ => Cow::Borrowed(last),
    }
}

/// The parts of a path, the last one first.
struct Segments<'n>(&'n str);

impl<'n> Iterator for Segments<'n> {
    type Item = &'n str;

    fn next(&mut self) -> Option<&'n str> {
        let path = self.0.trim_end_matches(':');
        let begin = path.bytes().rposition(|byte| byte == b':').map_or(0, |colon| colon + 1);
        self.0 = &path[..begin];
        Some(&path[begin..]).filter(|segment| !segment.is_empty())
    }
}

/// The type of an error. A `dyn Error` does not tell its type, but a derived `Debug` begins with its name (or its
/// variant's); standard errors that do not are known by sight.
pub fn name_of(error: &(dyn Error + 'static)) -> Text<'static> {
    if error.is::<std::io::Error>() {
        return Cow::Borrowed("io.Error");
    }
    leading_name(&error)
}

/// The name that a derived `Debug` begins with.
pub fn leading_name(error: &dyn Debug) -> Text<'static> {
    let mut name = LeadingName(String::new());
    // Ends with an error as soon as the name is over.
    let _ = caught(|| write!(name, "{error:?}"));
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
