//! Log records to endpoints that fail: the queue is bounded, each record arrives once or is counted as dropped by reason.

use obs_tests::corpus;
use obs_tests::process::{Finished, Process};
use obs_tests::servers::{OtlpAnswer, OtlpServer};
use serde_json::Value;

use crate::ended::{self, each_fault_is_warned_of, says_what_to_do, status, warnings};

/// The name of the exporter.
const EXPORTER: &str = "otlp_logs";

/// A job that prints its status.
fn job(endpoint: &str) -> Process {
    ended::job("return", endpoint).env("LOG_LEVEL", "DEBUG").env("OTEL_LOGS_EXPORTER", "otlp")
}

/// The messages of the records that it has accepted.
fn messages(server: &OtlpServer) -> Vec<String> {
    let body = |record: opentelemetry_proto::tonic::logs::v1::LogRecord| match record.body.and_then(|body| body.value) {
        Some(opentelemetry_proto::tonic::common::v1::any_value::Value::StringValue(text)) => text,
        other => panic!("{other:?}"),
    };
    server.logs().into_iter().map(body).collect()
}

/// The messages of the lines that are sent: those of the HTTP client about the requests are not, which would never end.
fn written(ended: &Finished) -> Vec<String> {
    let lines = ended.log();
    let is_sent = |line: &Value| !line["logger"].as_str().is_some_and(|logger| logger.starts_with("ureq"));
    assert!(!lines.iter().all(is_sent), "the client logs at DEBUG: {ended:?}");
    let lines: Vec<Value> = lines.into_iter().filter(is_sent).collect();
    lines.into_iter().map(|line| line["message"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn a_failing_endpoint_is_warned_of_and_delays_the_exit_by_one_deadline_at_most() {
    each_fault_is_warned_of(EXPORTER, job, |fault, warning, _| {
        assert!(says_what_to_do(warning), "{fault:?}: {warning}");
    });
}

#[test]
fn each_record_arrives_once_although_a_request_is_repeated_or_halved() {
    for (answer, warned) in [
        (OtlpAnswer::Accept, 0),
        (OtlpAnswer::Status(503, vec![]), 1),
        (OtlpAnswer::Status(429, vec!["Retry-After: 0".to_owned()]), 1),
        (OtlpAnswer::Status(413, vec![]), 1),
    ] {
        let server = OtlpServer::answering([answer.clone()]);
        let ended = job(&server.url()).run();
        assert_eq!(ended.code(), Some(0), "{answer:?}: {ended:?}");
        let (sent, written) = (messages(&server), written(&ended));
        // The warning may come when the last flush has begun.
        let own = |messages: &[String]| -> Vec<String> {
            messages.iter().filter(|message| !message.contains("otlp_logs")).cloned().collect()
        };
        assert!(own(&written).len() > 3, "{written:?}");
        assert_eq!(own(&sent), own(&written), "{answer:?}");
        assert_eq!(warnings(&ended, EXPORTER).len(), warned, "{answer:?}: {ended:?}");
        assert_eq!(status(&ended, EXPORTER)["dropped"], serde_json::json!({}), "{answer:?}");
    }
}

#[test]
fn what_is_refused_is_counted_by_reason_and_not_sent_again() {
    for (answer, reason, advice) in [
        (OtlpAnswer::Status(401, vec![]), "refused", "OTEL_EXPORTER_OTLP_HEADERS"),
        (OtlpAnswer::Partial(1, "the quota is used up"), "rejected", "the quota is used up"),
    ] {
        let server = OtlpServer::answering([answer.clone()]);
        let ended = job(&server.url()).run();
        assert_eq!(ended.code(), Some(0), "{answer:?}: {ended:?}");
        let dropped = status(&ended, EXPORTER)["dropped"].as_object().unwrap().clone();
        assert_eq!(dropped.keys().collect::<Vec<_>>(), [reason], "{answer:?}: {ended:?}");
        let warnings = warnings(&ended, EXPORTER);
        assert!(warnings.len() == 1 && warnings[0].contains(advice), "{answer:?}: {warnings:?}");
        if reason == "refused" {
            let all = messages(&server).len() as u64 + dropped[reason].as_u64().unwrap();
            let own = written(&ended).len() as u64;
            assert!(all == own || all + 1 == own, "{all} of {own}: {ended:?}");
        }
    }
}

#[test]
fn no_secret_of_the_corpus_is_in_a_request_of_any_signal() {
    let server = OtlpServer::start();
    let program = Process::new(env!("CARGO_BIN_EXE_leaker"))
        .env("LOG_LEVEL", "trace")
        .env("PROMETHEUS_PORT", "0")
        .env("OBS_FLUSH_TIMEOUT", "30s")
        .env("TRACING_ENABLED", "true")
        .env("TRACING_SAMPLE_RATE", "1")
        .env("OTEL_METRICS_EXPORTER", "otlp")
        .env("OTEL_LOGS_EXPORTER", "otlp")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", server.url())
        .env("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .env("OTEL_RESOURCE_ATTRIBUTES", "note=ann.lee%2Bx%40example.com,password=hunter2")
        .env("OTEL_SERVICE_NAME", "of ann.lee+x@example.com")
        .env("SERVICE_NAME", "of ann.lee+x@example.com")
        .env("ENVIRONMENT", "password=hunter2");
    let running = program.start();
    running.wait_for_output("the address", |line| line.starts_with("metrics at ").then_some(()));
    let ended = running.finish();
    assert_eq!(ended.code(), Some(0), "{}", ended.stderr);
    assert!(server.logs().len() > 500 && !server.metrics().is_empty() && !server.spans().is_empty());
    let requests = server.heads().into_iter().zip(server.bodies());
    let (metrics, mut others): (Vec<_>, Vec<_>) = requests.partition(|(head, _)| head.contains("/v1/metrics"));
    // The last one has all series of those before it.
    others.extend(metrics.into_iter().next_back());
    let bodies: Vec<String> = others.iter().map(|(_, body)| String::from_utf8_lossy(body).into_owned()).collect();
    assert!(bodies.iter().any(|body| body.contains("[REDACTED]")));
    for body in bodies {
        corpus::assert_nothing_left("OTLP", &body);
    }
}
