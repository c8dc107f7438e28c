//! What commands print, and the exit code that they share.

use std::io::ErrorKind;

use serde::Serialize;

use crate::base::standard_streams::StandardStream;

/// Exit code for an unknown result or wrong use.
pub const UNKNOWN: u8 = 3;

/// Exit code when the output could not be written, as `EX_IOERR` of `sysexits.h`.
pub const OUTPUT_FAILED: u8 = 74;

/// Prints to standard output. A pipe whose reader has closed it is not an error: the reader wants no more.
///
/// # Errors
/// If the output could not be written. Standard error says why.
pub fn print(text: &str) -> Result<(), OutputFailed> {
    let end = if text.ends_with('\n') { "" } else { "\n" };
    match StandardStream::Stdout.write_all(format!("{text}{end}").as_bytes()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            print_error(&format!("standard output cannot be written: {error}"));
            Err(OutputFailed)
        }
        _ => Ok(()),
    }
}

/// The output could not be written.
#[derive(Clone, Copy, Debug)]
pub struct OutputFailed;

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
