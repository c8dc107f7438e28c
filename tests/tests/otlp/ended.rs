//! What a job says of an exporter of OTLP.

use obs_tests::process::Finished;
use serde_json::Value;

/// The status of the exporter, from the line that the job prints.
pub fn status(ended: &Finished, exporter: &str) -> Value {
    let line =
        ended.stdout.lines().find_map(|line| line.strip_prefix("status ")).unwrap_or_else(|| panic!("{ended:?}"));
    let status: Value = serde_json::from_str(line).unwrap();
    status["sinks"].as_array().unwrap().iter().find(|sink| sink["name"] == exporter).cloned().unwrap()
}

/// The lines that name the exporter.
pub fn warnings(ended: &Finished, exporter: &str) -> Vec<String> {
    let messages = ended.log().into_iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned());
    messages.filter(|message| message.contains(exporter)).collect()
}
