//! Python scripts: readers of formats that have a library of their own in Python.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::tools;

/// Runs a script in the Python environment of the tests with these arguments and this standard input, and returns its
/// standard output.
///
/// # Errors
/// What it wrote to standard error, when it failed.
pub fn run(script: &str, arguments: &[&str], input: &[u8]) -> Result<String, String> {
    let mut child = Command::new(tools::python())
        .args(["-c", script])
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    child.stdin.take().expect("its input is piped").write_all(input).expect("the script reads its input");
    let output = child.wait_with_output().expect("python ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("a script writes UTF-8");
    if output.status.success() { Ok(text(output.stdout)) } else { Err(text(output.stderr)) }
}
