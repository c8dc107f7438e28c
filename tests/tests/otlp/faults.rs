//! An endpoint that fails: the job does its work and ends in time, what is lost is counted by reason, and one warning says what
//! to do.

use obs_tests::process::Process;
use obs_tests::servers::{OtlpAnswer, OtlpServer};

use crate::ended::{self, DEADLINE, each_fault_is_warned_of, says_what_to_do, status, warnings};

/// The name of the exporter.
const EXPORTER: &str = "otlp_traces";

/// A job of 101 spans, which prints its status.
fn job(way: &str, endpoint: &str) -> Process {
    ended::job(way, endpoint).env("TRACING_ENABLED", "true").env("TRACING_SAMPLE_RATE", "1")
}

#[test]
fn a_failing_endpoint_is_warned_of_and_delays_the_exit_by_one_deadline_at_most() {
    each_fault_is_warned_of(
        EXPORTER,
        |endpoint| job("return", endpoint),
        |fault, warning, _| assert!(says_what_to_do(warning), "{fault:?}: {warning}"),
    );
}

#[test]
fn over_grpc_too() {
    each_fault_is_warned_of(
        EXPORTER,
        |endpoint| job("return", endpoint).env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        |fault, warning, _| assert!(says_what_to_do(warning), "{fault:?}: {warning}"),
    );
}

#[test]
fn what_is_refused_is_counted_by_reason_and_not_sent_again() {
    for (answer, reason, dropped, advice) in [
        (OtlpAnswer::Status(400, vec![]), "refused", 2, "answers 400"),
        (OtlpAnswer::Status(401, vec![]), "refused", 2, "OTEL_EXPORTER_OTLP_HEADERS"),
        (OtlpAnswer::Status(404, vec![]), "refused", 2, "4318"),
        (OtlpAnswer::Partial(1, "the quota is used up"), "rejected", 1, "the quota is used up"),
    ] {
        let server = OtlpServer::answering([answer.clone()]);
        let ended = job("return", &server.url()).run();
        assert_eq!(ended.code(), Some(0), "{answer:?}: {ended:?}");
        let status = status(&ended, EXPORTER);
        assert_eq!(status["dropped"], serde_json::json!({ reason: dropped }), "{answer:?}: {status}");
        let warnings = warnings(&ended, EXPORTER);
        assert!(warnings.len() == 1 && warnings[0].contains(advice), "{answer:?}: {warnings:?}");
        assert_eq!(server.requests(), 1, "{answer:?}");
    }
}

#[test]
fn what_a_server_cannot_take_for_now_is_sent_again_when_it_says() {
    let later = |status| OtlpAnswer::Status(status, vec!["Retry-After: 1".to_owned()]);
    for answers in [vec![later(429)], vec![later(503), later(503)], vec![OtlpAnswer::Status(502, vec![])]] {
        let count = answers.len();
        let server = OtlpServer::answering(answers.clone());
        let ended = job("return", &server.url()).run();
        assert_eq!(ended.code(), Some(0), "{answers:?}: {ended:?}");
        let spans = server.spans();
        assert_eq!((spans.len(), server.requests()), (2, count + 1), "{answers:?}: {spans:?}");
        let status = status(&ended, EXPORTER);
        assert!(status["last_success"].is_string() && status["dropped"] == serde_json::json!({}), "{status}");
    }
}

#[test]
fn a_job_does_not_wait_for_a_server_that_asks_for_more_time_than_there_is() {
    let server = OtlpServer::answering([OtlpAnswer::Status(503, vec!["Retry-After: 3600".to_owned()])]);
    let ended = job("return", &server.url()).run();
    assert_eq!(ended.code(), Some(0), "{ended:?}");
    assert!(ended.duration < DEADLINE, "{:?}", ended.duration);
    assert_eq!((server.requests(), server.spans().len()), (1, 0));
}
