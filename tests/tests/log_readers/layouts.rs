//! Layouts of JSON lines, by what their readers document; that of OpenTelemetry by a real Collector.

use std::collections::BTreeSet;

use obs_tests::process::Process;
use obs_tests::servers::Collector;
use obs_tests::{http, python, wait};
use serde_json::{Value, json};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// The lines of a job in a layout, as they are. Each has a trace, most have a user, fields and a place.
fn written(layout: &str, time: &str) -> Vec<String> {
    let job = Process::new(env!("CARGO_BIN_EXE_errors-job")).args(&["error"]);
    let ended = job
        .env("LOG_LAYOUT", layout)
        .env("LOG_TIME", time)
        .env("LOG_LEVEL", "DEBUG")
        .env("SERVICE_NAME", "import")
        .env("ENVIRONMENT", "test")
        .env("PROMETHEUS_PORT", "off")
        .env("GOOGLE_CLOUD_PROJECT", "acme")
        .env("TRACEPARENT", format!("00-{TRACE}-00f067aa0ba902b7-01"))
        .run();
    assert_eq!(ended.code(), Some(1), "{ended:?}");
    let lines: Vec<_> = ended.stderr.lines().filter(|line| line.starts_with('{')).map(str::to_owned).collect();
    assert!(lines.len() > 8, "{ended:?}");
    lines
}

fn lines(layout: &str) -> Vec<Value> {
    written(layout, "rfc3339").iter().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The line with this message.
#[track_caller]
fn with_message<'l>(lines: &'l [Value], message: &str) -> &'l Value {
    lines.iter().find(|line| line["message"] == message).unwrap_or_else(|| panic!("{lines:#?}"))
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.parse::<jiff::Timestamp>().is_ok())
}

fn is_span(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() == 16 && text != "00f067aa0ba902b7")
}

#[test]
fn fields_are_nested_and_times_are_numbers_where_that_is_wanted() {
    let flat = lines("flat");
    let manifest = with_message(&flat, "the manifest is read");
    assert_eq!((&manifest["rows"], &manifest["region"]), (&json!(3), &json!("eu")));
    assert!(is_time(&manifest["timestamp"]));
    let nested = lines("nested");
    let manifest = with_message(&nested, "the manifest is read");
    assert_eq!(manifest["fields"], json!({"rows": 3, "region": "eu"}));
    assert!(manifest.get("rows").is_none() && manifest["trace_id"] == TRACE, "{manifest:?}");
    for (form, digits) in [("unix_ms", 13), ("unix_ns", 19)] {
        for line in written("flat", form) {
            let line: Value = serde_json::from_str(&line).unwrap();
            assert!(line["timestamp"].as_u64().is_some_and(|time| time.to_string().len() == digits), "{line}");
        }
    }
}

/// The specification of ECS logging: which fields are required, in which order, and what labels may be named.
#[test]
fn lines_for_elastic_are_those_of_its_specification() {
    for line in written("ecs", "unix_ms") {
        let keys = [r#"{"@timestamp":""#, r#"","log.level":""#, r#"","message":""#, r#"","ecs.version":"1."#];
        let places: Vec<_> = keys.iter().filter_map(|key| line.find(key)).collect();
        assert!(places.len() == 4 && places.is_sorted() && places[0] == 0, "{line}");
    }
    let lines = lines("ecs");
    for line in &lines {
        assert!(is_time(&line["@timestamp"]), "{line:?}");
        assert_eq!((&line["service.name"], &line["event.dataset"]), (&json!("import"), &json!("import.log")));
        assert_eq!((&line["trace.id"], is_span(&line["span.id"])), (&json!(TRACE), true), "{line:?}");
        for (name, value) in line["labels"].as_object().unwrap() {
            assert!(!name.contains(['.', '*', '\\']) && !value.is_object() && !value.is_array(), "{line:?}");
        }
    }
    let manifest = with_message(&lines, "the manifest is read");
    assert_eq!((&manifest["labels"]["rows"], &manifest["user.id"]), (&json!(3), &json!("ada")));
    assert!(manifest["log.origin.file.line"].is_u64() && manifest["log.logger"] == "errors_job", "{manifest:?}");
    let failed = lines.iter().find(|line| line["error.message"] == "asked to fail").unwrap();
    assert!(failed["error.type"].is_string() && failed["log.level"] != "info", "{failed:?}");
}

/// The special fields of <https://cloud.google.com/logging/docs/structured-logging>.
#[test]
fn lines_for_google_cloud_have_its_special_fields() {
    let lines = lines("gcp");
    let severities: BTreeSet<_> = lines.iter().map(|line| line["severity"].as_str().unwrap()).collect();
    let known = ["DEFAULT", "DEBUG", "INFO", "NOTICE", "WARNING", "ERROR", "CRITICAL", "ALERT", "EMERGENCY"];
    assert!(severities.iter().all(|severity| known.contains(severity)) && severities.contains("ERROR"));
    for line in &lines {
        assert!(is_time(&line["time"]) && line["message"].is_string(), "{line:?}");
        assert_eq!(line["logging.googleapis.com/trace"], format!("projects/acme/traces/{TRACE}"));
        assert!(is_span(&line["logging.googleapis.com/spanId"]), "{line:?}");
        assert_eq!(line["logging.googleapis.com/trace_sampled"], true);
        let labels = line["logging.googleapis.com/labels"].as_object().unwrap();
        assert!(labels.values().all(Value::is_string) && labels["environment"] == "test", "{line:?}");
        assert_eq!(line["serviceContext"]["service"], "import");
    }
    let manifest = with_message(&lines, "the manifest is read");
    let place = &manifest["logging.googleapis.com/sourceLocation"];
    assert!(place["line"].as_str().is_some_and(|line| line.parse::<u32>().is_ok()), "{manifest:?}");
    assert!(place["file"].is_string() && place["function"] == "errors_job", "{manifest:?}");
    assert_eq!((&manifest["rows"], &manifest["logging.googleapis.com/labels"]["user"]), (&json!(3), &json!("ada")));
}

/// Takes the special fields out of each line, as an agent of Cloud Logging does, and reads the entry by Google's own schema, which
/// refuses unknown fields and values of another type.
const AS_LOG_ENTRIES: &str = r#"
import json, sys
from google.cloud.logging_v2.types import LogEntry
from google.logging.type.log_severity_pb2 import LogSeverity

SPECIAL = {"trace": "trace", "spanId": "spanId", "trace_sampled": "traceSampled", "labels": "labels",
           "sourceLocation": "sourceLocation", "insertId": "insertId", "operation": "operation"}
for line in sys.stdin:
    payload = json.loads(line)
    entry = {"severity": payload.pop("severity"), "timestamp": payload.pop("time")}
    for name in [name for name in payload if name.startswith("logging.googleapis.com/")]:
        entry[SPECIAL[name.removeprefix("logging.googleapis.com/")]] = payload.pop(name)
    entry["jsonPayload"] = payload
    entry = LogEntry.from_json(json.dumps(entry))
    print(json.dumps({
        "severity": LogSeverity.Name(entry.severity), "trace": entry.trace, "sampled": entry.trace_sampled, "labels": dict(entry.labels),
        "line": entry.source_location.line, "nanoseconds": entry.timestamp.nanosecond, "payload": payload,
    }))
"#;

#[test]
fn lines_for_google_cloud_are_entries_by_its_schema() {
    let lines = written("gcp", "rfc3339");
    let entries = python::run(AS_LOG_ENTRIES, &[], (lines.join("\n") + "\n").as_bytes());
    let entries: Vec<Value> = entries
        .unwrap_or_else(|error| panic!("{error}"))
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert_eq!(entries.len(), lines.len());
    for entry in &entries {
        assert_eq!(
            (&entry["trace"], &entry["sampled"]),
            (&json!(format!("projects/acme/traces/{TRACE}")), &json!(true))
        );
        assert_eq!(entry["labels"]["environment"], "test", "{entry}");
        assert!(entry["nanoseconds"].as_u64().is_some_and(|nanoseconds| nanoseconds > 0), "{entry}");
    }
    let with_message = |message: &str| entries.iter().find(|entry| entry["payload"]["message"] == message).unwrap();
    let manifest = with_message("the manifest is read");
    assert_eq!((&manifest["severity"], &manifest["payload"]["rows"]), (&json!("INFO"), &json!(3)));
    assert!(manifest["line"].as_u64().is_some_and(|line| line > 0), "{manifest}");
    assert!(entries.iter().any(|entry| entry["severity"] == "ERROR"), "{entries:?}");
    // A value of another type is refused.
    let wrong = lines[0].replacen(
        "\"logging.googleapis.com/trace_sampled\":true",
        "\"logging.googleapis.com/trace_sampled\":\"yes\"",
        1,
    );
    assert_ne!(wrong, lines[0]);
    assert!(python::run(AS_LOG_ENTRIES, &[], (wrong + "\n").as_bytes()).is_err());
}

/// The reserved and standard attributes of <https://docs.datadoghq.com/logs/log_configuration/attributes_naming_convention/>.
#[test]
fn lines_for_datadog_have_its_attributes() {
    let lines = lines("datadog");
    for line in &lines {
        let status = line["status"].as_str().unwrap();
        assert!(["debug", "info", "warn", "error", "critical"].contains(&status), "{line:?}");
        assert!(is_time(&line["timestamp"]) && line["message"].is_string(), "{line:?}");
        assert_eq!(
            (&line["service"], &line["env"], &line["version"]),
            (&json!("import"), &json!("test"), &json!("1.2.3"))
        );
        assert_eq!(line["dd.trace_id"], TRACE);
        assert!(line["dd.span_id"].as_str().is_some_and(|id| id.parse::<u64>().is_ok()), "{line:?}");
    }
    let manifest = with_message(&lines, "the manifest is read");
    assert_eq!((&manifest["rows"], &manifest["usr.id"]), (&json!(3), &json!("ada")));
    let failed = lines.iter().find(|line| line["error.message"] == "asked to fail").unwrap();
    assert!(failed["error.kind"].is_string() && failed["status"] != "info", "{failed:?}");
}

#[test]
fn a_collector_reads_lines_of_opentelemetry() {
    let collector = Collector::start();
    let url = format!("{}/v1/logs", collector.http_url());
    let lines = written("otel", "rfc3339");
    for line in &lines {
        let response =
            http::agent(wait::LONG).post(&url).header("content-type", "application/json").send(line).unwrap();
        assert_eq!(response.status(), 200, "{line}");
    }
    let records = |log: &str| log.matches("LogRecord #").count();
    let log =
        wait::until("the records", wait::LONG, || Some(collector.log()).filter(|log| records(log) >= lines.len()));
    assert_eq!(records(&log), lines.len());
    for expected in [
        "service.name: Str(import)",
        "deployment.environment.name: Str(test)",
        "Body: Str(the manifest is read)",
        "SeverityNumber: Info(9)",
        "SeverityText: ERROR",
        "rows: Int(3)",
        "user: Str(ada)",
        "region: Str(eu)",
        &format!("Trace ID: {TRACE}"),
        "Flags: 1",
    ] {
        assert!(log.contains(expected), "{expected}: {log}");
    }
}
