//! Prometheus' text format and `OpenMetrics`, by the parsers of Prometheus' Python client.

use serde_json::Value;

use crate::exposition::Samples;
use crate::python;

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
/// What the parser rejects.
pub fn parse(text: &str) -> Result<Vec<Value>, String> {
    parse_as("text", text)
}

/// The same of `OpenMetrics`, by its stricter parser.
///
/// # Errors
/// What the parser rejects.
pub fn parse_openmetrics(text: &str) -> Result<Vec<Value>, String> {
    parse_as("openmetrics", text)
}

fn parse_as(format: &str, text: &str) -> Result<Vec<Value>, String> {
    let families = python::run(SCRIPT, &[format], text.as_bytes())?;
    serde_json::from_str(&families).map_err(|error| error.to_string())
}

/// The samples of these families.
#[must_use]
#[track_caller]
pub fn samples(families: &[Value]) -> Samples {
    let samples = families.iter().flat_map(|family| family["samples"].as_array().expect("a family has samples"));
    let read = |sample: &Value| {
        let labels = serde_json::from_value(sample["labels"].clone()).expect("labels are text");
        let name = sample["name"].as_str().expect("a sample has a name").to_owned();
        let value = sample["value"].as_str().and_then(|value| value.parse().ok()).expect("a value is a number");
        ((name, labels), value)
    };
    samples.map(read).collect()
}
