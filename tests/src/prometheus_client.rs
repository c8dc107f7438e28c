//! A second opinion on the text format: the parser of Prometheus' Python client.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::tools;

const SCRIPT: &str = "
import json, sys
if sys.argv[1] == 'openmetrics':
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
else:
    from prometheus_client.parser import text_string_to_metric_families
text = sys.stdin.buffer.read().decode('utf-8', 'strict')
families = text_string_to_metric_families(text)
json.dump([
    {'name': family.name, 'type': family.type, 'help': family.documentation,
     'unit': family.unit, 'samples': [
         {'name': s.name, 'labels': s.labels, 'value': repr(float(s.value)),
          'exemplar': s.exemplar and {'labels': s.exemplar.labels, 'value': s.exemplar.value,
                                      'timestamp': s.exemplar.timestamp and float(s.exemplar.timestamp)}}
         for s in family.samples]}
    for family in families
], sys.stdout)
";

/// The families of a text exposition as the client reads them: `name` (a counter's without `_total`), `type`, `help`,
/// `unit` and `samples` (each with `name`, `labels`, `value` as Python writes a float, and `exemplar`).
///
/// # Errors
/// What the parser did not like.
pub fn parse(text: &str) -> Result<Vec<Value>, String> {
    parse_as("text", text)
}

/// The same of `OpenMetrics`, by its own and stricter parser.
///
/// # Errors
/// What the parser did not like.
pub fn parse_openmetrics(text: &str) -> Result<Vec<Value>, String> {
    parse_as("openmetrics", text)
}

fn parse_as(format: &str, text: &str) -> Result<Vec<Value>, String> {
    let mut child = Command::new(tools::python())
        .args(["-c", SCRIPT, format])
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
