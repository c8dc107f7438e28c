//! What commands print, and the exit code that they share.

use serde::Serialize;

use crate::base::standard_streams::StandardStream;

/// Exit code for an unknown result or wrong use.
pub const UNKNOWN: u8 = 3;

/// Prints to standard output. A closed stream is not an error.
pub fn print(text: &str) {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    let _ = StandardStream::Stdout.write_all(format!("{text}{end}").as_bytes());
}

pub fn json(value: &impl Serialize, pretty: bool) -> String {
    let text = if pretty { serde_json::to_string_pretty(value) } else { serde_json::to_string(value) };
    text.unwrap_or_else(|error| format!("{{\"error\":{:?}}}", error.to_string()))
}

/// Prints what is wrong with the declarations. Returns whether anything is.
pub fn print_problems(problems: &[String]) -> bool {
    for problem in problems {
        print_error(problem);
    }
    !problems.is_empty()
}

/// Prints to standard error.
pub fn print_error(message: &str) {
    let sign = console::style("error:").for_stderr().red().bold();
    let _ = StandardStream::Stderr.write_all(format!("{sign} {message}\n").as_bytes());
}
