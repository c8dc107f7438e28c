//! Prometheus' own linter.

use std::io::Write;
use std::process::{Command, Stdio};

use crate::tools;

/// Runs `promtool check metrics` on a text exposition.
///
/// # Errors
/// Its errors and its advice.
pub fn check_metrics(text: &str) -> Result<(), String> {
    let mut child = Command::new(tools::program(&["promtool"]))
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    // It stops reading at the first error.
    let _ = child.stdin.take().expect("its input is piped").write_all(text.as_bytes());
    let output = child.wait_with_output().expect("promtool ends");
    let remarks = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    if output.status.success() && remarks.is_empty() { Ok(()) } else { Err(remarks) }
}
