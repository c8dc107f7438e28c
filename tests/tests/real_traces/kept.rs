//! `TRACING_KEEP_ERRORS`: a run that fails is exported whole although it was not sampled.

use obs_tests::process::{Finished, Process};
use obs_tests::servers::Jaeger;
use serde_json::Value;

use super::{attribute, named, text, to};

/// A job whose trace is not sampled: its trace id, and how it has ended.
fn not_sampled(jaeger: &Jaeger, way: &str, keeps_errors: &str) -> (String, Finished) {
    let ended = to(jaeger, "grpc", &format!("{way}-{keeps_errors}"), Process::new(env!("CARGO_BIN_EXE_short-lived")))
        .args(&[way])
        .env("TRACING_SAMPLE_RATE", "0")
        .env("TRACING_KEEP_ERRORS", keeps_errors)
        .run();
    let line = ended.stderr.lines().find(|line| line.starts_with('{')).unwrap_or_else(|| panic!("{ended:?}"));
    let line: Value = serde_json::from_str(line).unwrap();
    (text(&line["trace_id"]).to_owned(), ended)
}

#[test]
fn a_run_that_fails_is_exported_whole_although_it_was_not_sampled() {
    let jaeger = Jaeger::start();
    let (succeeded, _) = not_sampled(&jaeger, "return", "true");
    let (dropped, _) = not_sampled(&jaeger, "error", "false");
    for (way, outcome) in [("error", "error"), ("panic", "panic")] {
        let (failed, _) = not_sampled(&jaeger, way, "true");
        let spans = jaeger.wait_for_spans(&failed, 101);
        assert_eq!(spans.len(), 101, "{way}");
        assert_eq!(attribute(named(&spans, "short-lived"), "obs.outcome").as_deref(), Some(outcome));
        assert_eq!(spans.iter().filter(|span| span["name"] == "step").count(), 100, "{way}");
    }
    // Sent before those that have arrived, if at all.
    for trace in [&succeeded, &dropped] {
        assert_eq!(jaeger.spans(trace), [] as [Value; 0], "{trace}");
    }
    assert_eq!(jaeger.services().len(), 2, "{:?}", jaeger.services());
}
