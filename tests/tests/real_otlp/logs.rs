//! The log records that a Collector gets have the fields of the JSON lines of the same process.

use std::collections::BTreeMap;

use obs_tests::process::Process;
use obs_tests::servers::Collector;
use obs_tests::wait;
use serde_json::Value;

/// A record: what it is about, and its attributes.
type Record = BTreeMap<String, String>;

/// The records in the output of the debug exporter.
fn records(log: &str) -> Vec<Record> {
    let mut records = Vec::new();
    let mut scope = "";
    let mut lines = log.lines().peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("InstrumentationScope ") {
            scope = name.trim();
        }
        if !line.starts_with("LogRecord #") {
            continue;
        }
        let mut record = Record::from([("logger".to_owned(), scope.to_owned())]);
        let mut in_attributes = false;
        while let Some(line) = lines.next_if(|line| !line.starts_with("LogRecord #") && !line.starts_with("\t{")) {
            if let Some(line) = line.strip_prefix("     -> ").filter(|_| in_attributes) {
                let (name, value) = line.split_once(": ").unwrap();
                record.insert(name.to_owned(), plain(value));
                continue;
            }
            in_attributes = line == "Attributes:";
            let names = [("SeverityText: ", "level"), ("Trace ID: ", "trace_id"), ("Span ID: ", "span_id")];
            for (start, name) in names {
                if let Some(value) = line.strip_prefix(start).filter(|value| !value.is_empty()) {
                    record.insert(name.to_owned(), value.to_owned());
                }
            }
            if let Some(value) = line.strip_prefix("Body: ") {
                record.insert("message".to_owned(), plain(value));
            }
            if let Some(value) = line.strip_prefix("SeverityNumber: ") {
                record.insert("severity".to_owned(), value.to_owned());
            }
            if line.starts_with("ScopeLogs #") {
                break;
            }
        }
        records.push(record);
    }
    records
}

/// The value in `Str(…)`, `Int(…)`, `Double(…)` or `Bool(…)`.
fn plain(value: &str) -> String {
    let (kind, value) = value.split_once('(').unwrap();
    let value = value.strip_suffix(')').unwrap();
    if kind == "Double" { value.parse::<f64>().unwrap().to_string() } else { value.to_owned() }
}

/// What a record of a JSON line has.
fn expected(line: &Value) -> Record {
    let mut record = Record::new();
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Number(number) if number.is_f64() => number.as_f64().unwrap().to_string(),
        other => other.to_string(),
    };
    for (name, value) in line.as_object().unwrap() {
        match &**name {
            "timestamp" | "service" | "environment" | "version" => {}
            "file" => drop(record.insert("code.file.path".to_owned(), text(value))),
            "line" => drop(record.insert("code.line.number".to_owned(), text(value))),
            "fields" => {
                for (name, value) in value.as_object().unwrap() {
                    record.insert(format!("fields.{name}"), text(value));
                }
            }
            "level" => {
                let severity = match value.as_str().unwrap() {
                    "DEBUG" => "Debug(5)",
                    "INFO" => "Info(9)",
                    "WARNING" => "Warn(13)",
                    "ERROR" => "Error(17)",
                    other => panic!("{other}"),
                };
                record.insert("severity".to_owned(), severity.to_owned());
                record.insert("level".to_owned(), text(value));
            }
            name => drop(record.insert(name.to_owned(), text(value))),
        }
    }
    record
}

#[test]
fn log_records_have_the_fields_of_the_json_lines_over_http() {
    log_records_have_the_fields("http/protobuf");
}

#[test]
fn log_records_have_the_fields_of_the_json_lines_over_grpc() {
    log_records_have_the_fields("grpc");
}

fn log_records_have_the_fields(protocol: &str) {
    let collector = Collector::start();
    let ended = Process::new(env!("CARGO_BIN_EXE_service"))
        .env("LOG_LEVEL", "DEBUG")
        .env("PROMETHEUS_PORT", "0")
        .env("SERVICE_NAME", "etl")
        .env("HEALTH_CHECK_INTERVAL_SECONDS", "86400")
        .env("OBS_FLUSH_TIMEOUT", "60s")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
        .env(
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            if protocol == "grpc" { collector.grpc_url() } else { collector.http_url() },
        )
        .run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    // Without the lines of the client: those about requests of the exporter are not sent, which would never end, and those about
    // the check of the endpoint are.
    let clients = ["ureq", "h2", "hyper", "tonic", "tower", "rustls"];
    let is_compared = |record: &Record| !clients.iter().any(|client| record["logger"].starts_with(client));
    let mut lines: Vec<Record> = ended.log().iter().map(expected).filter(is_compared).collect();
    assert!(lines.len() > 10 && lines.iter().any(|line| line.contains_key("error_type")), "{lines:#?}");
    let found = wait::poll(wait::LONG, || {
        let found: Vec<Record> = records(&collector.log()).into_iter().filter(is_compared).collect();
        Some(found).filter(|found| found.len() == lines.len())
    });
    let mut found = found.unwrap_or_else(|| panic!("{} lines: {}", lines.len(), collector.log()));
    lines.sort();
    found.sort();
    for (found, line) in found.iter().zip(&lines) {
        assert_eq!(found, line);
    }
    let log = collector.log();
    assert!(log.contains("-> service.name: Str(etl)") && log.contains("-> telemetry.sdk.name: Str(obs)"), "{log}");
}
