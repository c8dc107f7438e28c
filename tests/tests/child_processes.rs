//! A process and its child processes log one correlation id and one trace.

use std::collections::BTreeSet;

use obs_tests::process::Process;
use serde_json::Value;

fn lines(process: Process) -> Vec<Value> {
    let ended = process.env("PROMETHEUS_PORT", "0").run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    ended.log()
}

fn parent(left: &str) -> Process {
    Process::new(env!("CARGO_BIN_EXE_parent")).args(&[left])
}

fn distinct(lines: &[Value], key: &str) -> BTreeSet<String> {
    lines.iter().filter_map(|line| line[key].as_str().map(str::to_owned)).collect()
}

#[test]
fn three_generations_share_a_correlation_id_and_a_trace() {
    let lines = lines(parent("2"));
    let left: BTreeSet<_> = lines.iter().filter_map(|line| line["left_at_start"].as_u64()).collect();
    assert_eq!(left, [0, 1, 2].into());
    let ids = distinct(&lines, "correlation_id");
    assert_eq!(ids.len(), 1, "{lines:?}");
    let traces = distinct(&lines, "trace_id");
    let id = ids.first().unwrap().replace('-', "");
    assert_eq!(traces, [id].into(), "the trace id is the correlation id");
    let starts: Vec<_> = lines.iter().filter(|line| line["message"] == "generation started").collect();
    assert_eq!(starts.len(), 3, "{lines:?}");
    let spans: BTreeSet<_> = starts.iter().filter_map(|line| line["span_id"].as_str()).collect();
    assert_eq!(spans.len(), 3, "each process has a span of its own, from its first line on: {starts:?}");
    for line in lines.iter().filter(|line| line["message"] == "here") {
        let passed_on = line["traceparent"].as_str().and_then(|trace| trace.split('-').nth(2));
        assert_eq!(passed_on, line["span_id"].as_str(), "{line}");
    }
    assert!(lines.iter().all(|line| line["token"].is_null() || line["token"] == "[REDACTED]"), "{lines:?}");
    assert!(lines.iter().any(|line| line["token"] == "[REDACTED]"), "{lines:?}");
}

#[test]
fn a_process_takes_its_context_from_the_environment() {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let lines = lines(parent("0").env("OBS_CORRELATION_ID", " run-7 ").env("TRACEPARENT", trace));
    for line in &lines {
        assert_eq!(line["correlation_id"], "run-7", "{line}");
        assert_eq!(line["trace_id"], "4bf92f3577b34da6a3ce929d0e0e4736", "{line}");
        assert_ne!(line["span_id"], "00f067aa0ba902b7", "the span of the caller: {line}");
        assert!(line["span_id"].is_string(), "{line}");
    }
    assert!(lines.len() >= 3, "{lines:?}");
}

#[test]
fn the_flag_of_a_traceparent_is_the_sampling_decision_without_any_exporter_of_traces() {
    let flag = |variables: &[(&str, &str)]| {
        let process = variables.iter().fold(parent("0"), |process, (name, value)| process.env(name, value));
        let lines = lines(process);
        let line = lines.iter().find(|line| line["message"] == "here").unwrap();
        line["traceparent"].as_str().unwrap().rsplit('-').next().unwrap().to_owned()
    };
    let (sampled, unsampled) =
        ["01", "00"].map(|flag| format!("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-{flag}")).into();
    assert_eq!(flag(&[]), "00");
    assert_eq!(flag(&[("TRACING_ENABLED", "true"), ("TRACING_SAMPLE_RATE", "1")]), "01");
    assert_eq!(flag(&[("TRACING_ENABLED", "true"), ("TRACING_SAMPLE_RATE", "0")]), "00");
    assert_eq!(flag(&[("TRACING_ENABLED", "false"), ("TRACING_SAMPLE_RATE", "1")]), "00");
    assert_eq!(flag(&[("TRACEPARENT", &sampled)]), "01", "the caller decides");
    let all = [("TRACEPARENT", &*unsampled), ("TRACING_ENABLED", "true"), ("TRACING_SAMPLE_RATE", "1")];
    assert_eq!(flag(&all), "00", "the caller decides");
}

#[test]
fn malformed_context_variables_are_ignored_with_a_warning() {
    let lines = lines(parent("0").env("OBS_CORRELATION_ID", "two\nlines").env("TRACEPARENT", "01-what"));
    let warned: Vec<_> =
        lines.iter().filter(|line| line["level"] == "WARNING").map(|line| line["message"].as_str().unwrap()).collect();
    assert_eq!(warned.len(), 2, "{warned:?}");
    for name in ["OBS_CORRELATION_ID", "TRACEPARENT"] {
        assert!(warned.iter().any(|message| message.starts_with(&format!("ignoring {name}: "))), "{warned:?}");
    }
    assert!(!format!("{lines:?}").contains("two"), "{lines:?}");
    assert_eq!(distinct(&lines, "correlation_id").len(), 1, "the command has a new one");
}
