//! The attribute `exception.stacktrace`: a stack as text, innermost function first, as the standard library writes it.

use std::fmt::Write as _;
use std::time::Duration;

use backtrace::Symbol;

use crate::base::stack::Stack;
use crate::exporters::stack_names::StackNames;

/// Beginnings of functions that are left out at the top: those that take the stack or start a panic.
const HIDDEN: [&str; 9] =
    ["<obs_runtime", "__rust", "_rust", "alloc::", "backtrace::", "core::", "obs_runtime::", "rust_", "std::"];

/// Parts of source paths of such functions: names of inlined ones have no path.
const HIDDEN_PATHS: [&str; 3] = ["/backtrace-", "/rustc/", "obs-runtime"];

/// A function, with its place if debug information has one.
#[derive(Clone, Debug)]
struct Frame {
    function: String,
    place: Option<(String, u32)>,
}

/// Makes texts of stacks.
#[derive(Debug)]
pub struct StackTraces(StackNames<Frame>);

impl StackTraces {
    /// Waits for at most `limit` for the names on a stack.
    pub fn new(limit: Duration) -> Self {
        Self(StackNames::new(look_up, limit))
    }

    /// The text of a stack. `None` if its names are not known, or not in time.
    pub fn text(&self, stack: &Stack) -> Option<String> {
        let frames = self.0.frames(stack)?;
        let hidden = frames.iter().take_while(|frame| is_hidden(frame)).count();
        let shown = frames.get(hidden..).filter(|rest| !rest.is_empty())?;
        let mut text = String::new();
        for (index, Frame { function, place }) in shown.iter().enumerate() {
            // Writing to memory does not fail.
            let _ = writeln!(text, "{index:4}: {function}");
            if let Some((file, line)) = place {
                let _ = writeln!(text, "             at {file}:{line}");
            }
        }
        Some(text)
    }
}

fn is_hidden(frame: &Frame) -> bool {
    let is_in = |(file, _): &(String, u32)| HIDDEN_PATHS.iter().any(|part| file.contains(part));
    HIDDEN.iter().any(|prefix| frame.function.starts_with(prefix)) || frame.place.as_ref().is_some_and(is_in)
}

fn look_up(address: usize) -> Vec<Frame> {
    let mut frames = Vec::new();
    backtrace::resolve(std::ptr::without_provenance_mut(address), |symbol| {
        // `:#` omits the hash.
        if let Some(name) = symbol.name() {
            let file = symbol.filename().map(|path| path.to_string_lossy().into_owned());
            frames.push(Frame { function: format!("{name:#}"), place: file.zip(Symbol::lineno(symbol)) });
        }
    });
    frames
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_begins_with_the_function_of_the_program() {
        let traces = StackTraces(StackNames::new(
            |address| {
                let name = if address % 2 == 0 { "core::ops::function" } else { "etl::load" };
                vec![Frame { function: name.to_owned(), place: Some(("src/load.rs".to_owned(), 7)) }]
            },
            Duration::MAX,
        ));
        let text = Stack::capture().and_then(|stack| traces.text(&stack)).unwrap_or_default();
        assert!(text.starts_with("   0: etl::load\n             at src/load.rs:7\n   1: "), "{text}");
        let hidden = StackTraces(StackNames::new(
            |_| vec![Frame { function: "std::rt::lang_start".to_owned(), place: None }],
            Duration::MAX,
        ));
        assert_eq!(Stack::capture().and_then(|stack| hidden.text(&stack)), None);
    }
}
