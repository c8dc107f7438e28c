//! A second opinion on the text format: the parser of Prometheus' Python client.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tools;

const SCRIPT: &str = "
import json, sys
from prometheus_client.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode('utf-8', 'strict')
families = text_string_to_metric_families(text)
json.dump([
    {'name': family.name, 'type': family.type, 'help': family.documentation,
     'samples': [{'name': s.name, 'labels': s.labels, 'value': repr(float(s.value))} for s in family.samples]}
    for family in families
], sys.stdout)
";

/// The families of a text exposition as the client reads them: `name` (a counter's without `_total`), `type`, `help` and
/// `samples` (each with `name`, `labels`, and `value` as Python writes a float).
///
/// # Errors
/// What the parser did not like.
pub fn parse(text: &str) -> Result<Vec<Value>, String> {
    let mut child = Command::new(tools::python())
        .args(["-c", SCRIPT])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("python starts");
    child.stdin.take().expect("its input is piped").write_all(text.as_bytes()).expect("python reads its input");
    let output = child.wait_with_output().expect("python ends");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())
}
